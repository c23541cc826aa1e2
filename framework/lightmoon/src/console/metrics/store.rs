//! What survives: commits, snapshots, messages that take effect once, the store of files.

use super::metric::{Metric, counter, gauge, histogram_each, of};

pub(super) const TABLE: &[Metric] = &[
    gauge("lightmoon_store_generation", "The node's generation; 0: it keeps nothing.", |s| {
        of(s.store.generation)
    }),
    gauge("lightmoon_store_away", "1 while the store does not answer.", |s| of(s.store.is_away)),
    counter("lightmoon_store_outage_total", "Times that the store was away.", |s| of(s.keeper.outages)),
    gauge("lightmoon_store_request_waiting", "Requests that wait or are under way.", |s| {
        of(s.store.requests)
    }),
    gauge("lightmoon_store_waiting_bytes", "Bytes of commits and snapshots that wait.", |s| {
        of(s.store.waiting_bytes)
    }),
    gauge("lightmoon_store_unsaved_bytes", "Bytes of effects that are in no commit yet, about.", |s| {
        of(s.store.unsaved_bytes)
    }),
    gauge("lightmoon_store_held", "Messages and answers that wait for commits.", |s| of(s.store.held)),
    counter("lightmoon_store_commit_total", "Commits of actors.", |s| of(s.keeper.commits)),
    counter("lightmoon_store_commit_bytes_total", "Bytes of their rows.", |s| of(s.keeper.commit_bytes)),
    histogram_each(
        "lightmoon_store_commit_seconds",
        &[],
        "Commits that happened, from their sending to the store's answer, as actors wait for them.",
        |s, out| out.times(&[], &s.store.commit_times),
    ),
    counter("lightmoon_store_unknown_total", "Commits whose outcome had to be found out.", |s| {
        of(s.keeper.unknown)
    }),
    counter("lightmoon_store_lost_total", "Activations that lost their actor.", |s| of(s.keeper.lost)),
    counter("lightmoon_store_refused_total", "Operations refused because they cannot be kept.", |s| {
        of(s.actors.unkeepable)
    }),
    counter("lightmoon_snapshot_total", "Snapshots of zones published.", |s| of(s.keeper.snapshots)),
    counter("lightmoon_snapshot_bytes_total", "Bytes of them.", |s| of(s.keeper.snapshot_bytes)),
    counter("lightmoon_snapshot_given_up_total", "Snapshots that were too large.", |s| {
        of(s.keeper.snapshots_given_up)
    }),
    counter("lightmoon_snapshot_damaged_total", "Snapshots that could not be read.", |s| {
        of(s.keeper.snapshots_damaged)
    }),
    gauge("lightmoon_letter_waiting", "Messages in outboxes that nobody has taken yet.", |s| {
        of(s.store.letters)
    }),
    gauge("lightmoon_letter_dead", "Dead letters; more than a thousand count as that.", |s| {
        of(s.turns.dead_letters.len())
    }),
    counter("lightmoon_letter_posted_total", "Messages sent exactly once, in commits.", |s| {
        of(s.keeper.letters_posted)
    }),
    counter("lightmoon_letter_taken_total", "Of them, those taken.", |s| of(s.keeper.letters_taken)),
    counter("lightmoon_letter_failed_total", "Deliveries that failed when they were served.", |s| {
        of(s.keeper.letters_failed)
    }),
    counter("lightmoon_letter_died_total", "Messages that became dead letters.", |s| {
        of(s.keeper.letters_died)
    }),
    counter("lightmoon_letter_known_total", "Deliveries of messages that were taken before.", |s| {
        of(s.actors.deliveries_known)
    }),
    counter("lightmoon_files_group_total", "Groups of commits written to files, one sync each.", |s| {
        of(s.files.groups)
    }),
    histogram_each("lightmoon_files_group_seconds", &[], "Writing such a group, with its sync.", |s, out| {
        out.times(&[], &s.files.latencies)
    }),
    gauge("lightmoon_files_latency_max_seconds", "The slowest group so far.", |s| of(s.files.latency_max)),
    counter("lightmoon_files_sync_total", "Syncs of log and anchor.", |s| of(s.files.syncs)),
    counter("lightmoon_files_fence_total", "Writes that failed and fenced the store.", |s| {
        of(s.files.fences)
    }),
    counter("lightmoon_files_unreadable_total", "Requests whose records are damaged.", |s| {
        of(s.files.unreadable)
    }),
    gauge("lightmoon_files_queue_requests", "Requests that wait for the commit thread.", |s| {
        of(s.files.queue_requests)
    }),
    gauge("lightmoon_files_free_bytes", "Bytes free where the data folder lies; 0 where nobody says.", |s| {
        of(s.files.free_bytes.unwrap_or(0))
    }),
];
