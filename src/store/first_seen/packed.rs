//! A ledger as the bytes of its file, and back.

use std::collections::BTreeMap;

use super::super::codec::{self, Print};
use super::super::tags::whole_seconds;
#[cfg(any(fuzzing, test))]
use super::KIND;
use super::Ledger;
use crate::domain::tags::TagList;

/// What a list prints that brings nothing new; a repository that was never looked at has none.
pub(super) fn print(ledger: &Ledger, canonical: &str) -> Print {
    match ledger.since {
        Some(_) => codec::print(canonical, &ledger.tags, &TagList::default()),
        None => codec::NO_PRINT,
    }
}

/// Tags, the distinct times, of each tag the number of its time (a hundred thousand tags have few times), and a line for
/// each digest; whether the repository was ever looked at is the last byte.
pub(super) fn pack(ledger: &Ledger, canonical: &str) -> Vec<u8> {
    let mut times = ledger.seconds.clone();
    times.sort_unstable();
    times.dedup();
    let texts: Vec<String> = times.iter().map(i64::to_string).collect();
    let mut payload = Vec::new();
    codec::put(&mut payload, [canonical].into_iter());
    codec::put_list(&mut payload, &ledger.tags);
    codec::put(&mut payload, texts.iter().map(String::as_str));
    for seconds in &ledger.seconds {
        let number = u32::try_from(times.partition_point(|time| time < seconds)).unwrap_or(u32::MAX);
        payload.extend_from_slice(&number.to_le_bytes());
    }
    let seen = ledger.digests.iter().flat_map(|(tag, digests)| digests.iter().map(move |seen| (tag, seen)));
    let texts: Vec<[String; 3]> =
        seen.map(|(tag, (digest, seconds))| [tag.clone(), digest.clone(), seconds.to_string()]).collect();
    let texts: Vec<&str> = texts.iter().flatten().map(String::as_str).collect();
    codec::put(&mut payload, texts.into_iter());
    payload.push(u8::from(ledger.since.is_some()));
    payload
}

pub(super) fn unpack(sealed: &codec::Sealed, canonical: &str) -> Option<Ledger> {
    let mut rest = sealed.payload.as_slice();
    if codec::take(&mut rest)? != [canonical] {
        return None;
    }
    let tags = codec::take_list(&mut rest)?;
    let times: Vec<i64> =
        codec::take(&mut rest)?.iter().map(|time| time.parse().ok()).collect::<Option<_>>()?;
    let (numbers, mut rest) = rest.split_at_checked(tags.len().checked_mul(4)?)?;
    let (numbers, _) = numbers.as_chunks::<4>();
    let seconds: Vec<i64> = numbers
        .iter()
        .map(|number| times.get(usize::try_from(u32::from_le_bytes(*number)).ok()?).copied())
        .collect::<Option<_>>()?;
    let (digests, looked) = match sealed.version {
        1 => (BTreeMap::new(), true),
        _ => (unpack_digests(&codec::take(&mut rest)?)?, *rest.first()? != 0),
    };
    let since = looked.then(|| whole_seconds(sealed.seconds));
    Some(Ledger { since, tags, seconds, digests })
}

fn unpack_digests(texts: &[&str]) -> Option<BTreeMap<String, Vec<(String, i64)>>> {
    let mut digests: BTreeMap<String, Vec<(String, i64)>> = BTreeMap::new();
    let (seen, _) = texts.as_chunks::<3>();
    for [tag, digest, seconds] in seen {
        let known = digests.entry((*tag).to_owned()).or_default();
        known.push(((*digest).to_owned(), seconds.parse().ok()?));
    }
    Some(digests)
}

/// Reads any bytes as a ledger: what comes out is what was put in.
#[cfg(any(fuzzing, test))]
pub(in super::super) fn read_any(file: &[u8], canonical: &str) {
    let Some(ledger) = codec::open(KIND, file).ok().and_then(|sealed| unpack(&sealed, canonical)) else {
        return;
    };
    let seconds = ledger.since.unwrap_or_default().as_second();
    let again = codec::seal(KIND, seconds, &print(&ledger, canonical), &pack(&ledger, canonical));
    let again = again.ok().and_then(|file| codec::open(KIND, &file).ok());
    assert_eq!(again.and_then(|sealed| unpack(&sealed, canonical)), Some(ledger));
}
