//! Work on several threads, of which a computer may have fewer than are wanted: what comes out is the same with one.

use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread;

/// What `work` makes of each item, in their order, on as many threads as there are cores.
pub fn on_all_cores<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    in_parallel(items, cores, work)
}

/// `work` of every item, in the items' order, on up to `threads` threads.
pub fn in_parallel<T: Sync, R: Send>(items: &[T], threads: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    /// Few enough that the threads end together, many enough that taking one costs nothing.
    const BATCH: usize = 16;
    if threads < 2 || items.len() <= BATCH {
        return items.iter().map(work).collect();
    }
    let shares = items.chunks(BATCH);
    let results = in_shares(shares, threads, |share| share.iter().map(&work).collect::<Vec<R>>());
    results.into_iter().flatten().collect()
}

/// What `work` makes of each of `shares`, in their order, on up to `most` threads, the caller's own among them.
///
/// Each thread takes the next share until none is left. One that cannot be had takes none, and the rest do its work. A panic
/// of any is the caller's.
pub fn in_shares<T: Send, R: Send>(
    shares: impl Iterator<Item = T> + Send,
    most: usize,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let shares = Mutex::new(shares.enumerate());
    let next = || shares.lock().unwrap_or_else(PoisonError::into_inner).next();
    let drain =
        || std::iter::from_fn(|| next().map(|(number, share)| (number, work(share)))).collect::<Vec<_>>();
    let drain = &drain;
    let mut results = thread::scope(|scope| {
        let start = |_| thread::Builder::new().spawn_scoped(scope, drain).ok();
        let others: Vec<_> = (1..most).map_while(start).collect();
        let mut results = drain();
        for other in others {
            results.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        results
    });
    results.sort_unstable_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items_however_many_threads_there_are() {
        let items: Vec<usize> = (0..1_000).collect();
        let doubled: Vec<usize> = items.iter().map(|item| item * 2).collect();
        for threads in [0, 1, 2, 7] {
            assert_eq!(in_parallel(&items, threads, |item| item * 2), doubled, "{threads}");
            let shares = items.chunks(300);
            let counted = in_shares(shares, threads, |share: &[usize]| (share[0], share.len()));
            assert_eq!(counted, [(0, 300), (300, 300), (600, 300), (900, 100)], "{threads}");
        }
        assert!(in_shares(std::iter::empty::<u8>(), 4, |share| share).is_empty());
    }

    #[test]
    fn a_panic_on_another_thread_is_the_callers() {
        let work = |item: &usize| assert_ne!(*item, 999, "the last");
        let items: Vec<usize> = (0..1_000).collect();
        assert!(std::panic::catch_unwind(|| in_parallel(&items, 4, work)).is_err());
    }
}
