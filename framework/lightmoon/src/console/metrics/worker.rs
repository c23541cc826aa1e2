//! Workers, and the actors on them.

use lightmoon_contract::Priority;

use super::metric::{
    Metric, counter, counter_by, each_kind, gauge, gauge_each, histogram_each, of, sum, worker_counter,
    worker_gauge,
};

pub(super) const TABLE: &[Metric] = &[
    gauge("lightmoon_worker_running", "Workers: threads that run actors.", |s| of(s.node.workers.len())),
    worker_gauge("lightmoon_worker_actors", "Activations of a worker.", |worker| of(worker.actors)),
    worker_counter("lightmoon_worker_turn_total", "Turns of a worker.", |worker| of(worker.turns)),
    worker_counter("lightmoon_worker_busy_seconds_total", "Time that a worker spent in turns.", |worker| {
        of(worker.busy)
    }),
    gauge_each(
        "lightmoon_worker_queued",
        &["worker", "priority"],
        "Messages that wait to be served.",
        |s, out| {
            s.workers(|name, worker| {
                for (priority, queued) in Priority::ALL.iter().zip(worker.queued) {
                    out.number(&[name, priority.name()], of(queued));
                }
            });
        },
    ),
    worker_gauge(
        "lightmoon_worker_across_waiting",
        "Messages and answers of a worker that wait for room on the way to another worker.",
        |worker| of(worker.across),
    ),
    counter("lightmoon_worker_across_sent_total", "Messages that went to another worker.", |s| {
        of(s.actors.across_sent)
    }),
    counter(
        "lightmoon_worker_across_waited_total",
        "Waits of operations for room on the way to another actor.",
        |s| of(s.actors.across_waited),
    ),
    counter_by(
        "lightmoon_worker_refused_total",
        &["reason"],
        "Messages refused or handed back, by what was full.",
        &[
            ("node-full", |s| of(s.gateway.messages_refused)),
            ("queue-full", |s| of(s.actors.queue_full)),
            ("actor-full", |s| of(s.actors.parked_full)),
            ("actors-full", |s| of(s.actors.actors_full)),
            ("asks-full", |s| of(s.actors.asks_full)),
            ("timers-full", |s| of(s.actors.timers_full)),
            ("across-full", |s| of(s.actors.across_full)),
            ("set-aside", |s| of(s.actors.refused_set_aside)),
            ("unknown-kind", |s| of(s.actors.unknown_kind)),
            ("stopped", |s| of(s.actors.after_stop)),
        ],
    ),
    counter_by(
        "lightmoon_worker_dropped_total",
        &["reason"],
        "Messages dropped, by reason.",
        &[
            ("across-oldest", |s| of(s.actors.across_dropped)),
            ("across-replaced", |s| of(s.actors.across_replaced)),
            ("outputs-full", |s| of(s.actors.outputs_full)),
            ("never-durable", |s| of(s.actors.discarded)),
        ],
    ),
    counter("lightmoon_worker_slow_total", "Stretches of code of actors over 5 ms.", |s| of(s.actors.slow)),
    counter("lightmoon_worker_deadlock_total", "Requests that came back to who waits for them.", |s| {
        of(s.actors.deadlocks)
    }),
    histogram_each(
        "lightmoon_actor_operation_seconds",
        &["kind"],
        "Serving operations: each stretch between two waits.",
        |s, out| {
            each_kind(s, |name, kinds| out.times(&[name], &sum(kinds.map(|kind| kind.operations))));
        },
    ),
    histogram_each(
        "lightmoon_actor_alarm_seconds",
        &["kind"],
        "Handling alarms: for zones, the ticks that are due at once.",
        |s, out| {
            each_kind(s, |name, kinds| out.times(&[name], &sum(kinds.map(|kind| kind.alarms))));
        },
    ),
    histogram_each(
        "lightmoon_actor_life_seconds",
        &["kind"],
        "Making, saving and ending activations, each step.",
        |s, out| {
            each_kind(s, |name, kinds| out.times(&[name], &sum(kinds.map(|kind| kind.lives))));
        },
    ),
    gauge("lightmoon_actor_alive", "Activations on all workers.", |s| of(s.node.actors)),
    gauge("lightmoon_actor_set_aside", "Actors that panicked too often and rest.", |s| {
        of(s.node.set_aside.len())
    }),
    counter("lightmoon_actor_activated_total", "Activations made.", |s| of(s.actors.activations)),
    counter("lightmoon_actor_failed_total", "Activations ended by a panic.", |s| {
        of(s.gateway.activations_failed)
    }),
    counter("lightmoon_actor_idled_total", "Activations that ended because they idled.", |s| {
        of(s.actors.idled)
    }),
    counter(
        "lightmoon_actor_departed_total",
        "Activations that ended because their session had, and too many others since.",
        |s| of(s.actors.departed),
    ),
    counter("lightmoon_actor_loaded_total", "Actors read from the store.", |s| of(s.keeper.loads)),
    counter("lightmoon_actor_unreadable_total", "Actors whose stored state cannot be read.", |s| {
        of(s.actors.unreadable)
    }),
    counter("lightmoon_ask_total", "Requests of actors, and of callers outside.", |s| of(s.actors.asks)),
    counter(
        "lightmoon_ask_timed_out_total",
        "Of them, those whose time was over before their answer.",
        |s| of(s.actors.timeouts),
    ),
];
