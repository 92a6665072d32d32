//! "Did you mean": the candidate nearest to a word.

/// So many names are listed in a hint.
const FEW: usize = 6;

/// The candidate that is nearest to `word`, for "did you mean"; `None` if none is near.
///
/// Nearness is the number of edits (insert, delete, replace, swap of neighbours), at most a third of the word's length.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    let limit = (length / 3).max(1);
    candidates
        .into_iter()
        // So many edits it takes at least; a word may be as long as a file.
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= limit)
        .map(|candidate| (edit_distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The hint to a name that nothing has: the nearest one; else all there are, if they are few; else the command that lists
/// them.
pub fn known_names<'a>(name: &str, known: impl IntoIterator<Item = &'a str>, listed_by: &str) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    if let Some(near) = nearest(name, known.iter().copied()) {
        return format!("Did you mean {near}?");
    }
    match known.as_slice() {
        [] => "There is none here; -C PATH looks elsewhere.".to_owned(),
        few if few.len() <= FEW => format!("There are: {}.", few.join(", ")),
        _ => format!("See what there is: {listed_by}"),
    }
}

/// How many edits (insert, delete, replace, swap of neighbours) make the one text the other, in characters: the optimal
/// string alignment distance.
pub(crate) fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut previous: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1];
        for j in 0..b.len() {
            let replace = previous[j] + usize::from(a[i] != b[j]);
            let mut best = replace.min(previous[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut previous, row);
    }
    previous.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_is_answered_with_what_there_is() {
        let hint =
            |name: &str, known: &[&str]| known_names(name, known.iter().copied(), "supercargo get policies");
        assert_eq!(hint("vite", &["vote", "web"]), "Did you mean vote?");
        assert_eq!(hint("nothing-like-it", &["vote", "web"]), "There are: vote, web.");
        assert_eq!(hint("nothing-like-it", &["a"; 7]), "See what there is: supercargo get policies");
        assert_eq!(nearest(&"v".repeat(10 << 20), ["vote"]), None);
        assert_eq!(hint("vote", &[]), "There is none here; -C PATH looks elsewhere.");
    }
}
