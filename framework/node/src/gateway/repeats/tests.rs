//! Promises about repeats.

use super::*;

const NOW: Mono = Mono::from_millis(1_000);

fn content(args: u128) -> Content {
    Content { target: Target::Own, kind: Kind(1), number: OperationNumber(1), args }
}

fn value(byte: u8, size: usize) -> Result<Bytes, CallError> {
    Ok(vec![byte; size].into())
}

/// Hands over and answers.
fn serve(repeats: &mut Repeats, now: Mono, request: u64, size: usize) {
    assert_eq!(repeats.look(now, request, &content(1)), Verdict::New);
    repeats.handed_over(request, content(1));
    repeats.answered(now, request, &value(0, size));
}

#[test]
fn a_repeat_waits_with_its_request_and_then_gets_the_same_answer() {
    let mut repeats = Repeats::default();
    assert_eq!(repeats.look(NOW, 5, &content(1)), Verdict::New);
    assert_eq!(repeats.look(NOW, 5, &content(1)), Verdict::New, "what was not handed over stays new");
    repeats.handed_over(5, content(1));
    assert_eq!(repeats.look(NOW, 5, &content(1)), Verdict::InFlight);
    assert_eq!(repeats.look(NOW, 5, &content(2)), Verdict::Reused);
    repeats.answered(NOW, 5, &value(7, 3));
    assert_eq!(repeats.look(NOW, 5, &content(1)), Verdict::Answered(value(7, 3)));
    assert_eq!(repeats.look(NOW, 5, &content(2)), Verdict::Reused);
}

#[test]
fn answers_are_bounded_by_count_bytes_and_time_and_the_rest_is_forgotten() {
    let mut repeats = Repeats::default();
    let most = u64::try_from(limits::ANSWERS_KEPT_MAX).unwrap();
    for request in 1..=most + 1 {
        serve(&mut repeats, NOW, request, 10);
    }
    assert_eq!(repeats.look(NOW, 1, &content(1)), Verdict::Forgotten);
    assert_eq!(repeats.look(NOW, 2, &content(1)), Verdict::Answered(value(0, 10)));
    assert_eq!(repeats.known.len(), limits::ANSWERS_KEPT_MAX);

    serve(&mut repeats, NOW, 100, limits::ANSWER_BYTES_KEPT_MAX - 5);
    assert_eq!(repeats.answered.len(), 1, "it took the place of all others");
    serve(&mut repeats, NOW, 101, limits::ANSWER_BYTES_KEPT_MAX + 1);
    assert_eq!((repeats.known.len(), repeats.answer_bytes), (0, 0), "too large to be kept at all");
    assert_eq!(repeats.look(NOW, 101, &content(1)), Verdict::Forgotten);

    serve(&mut repeats, NOW, 102, 1);
    let later = NOW + limits::ANSWERS_KEPT_TIME;
    assert_eq!(repeats.look(later, 102, &content(1)), Verdict::Answered(value(0, 1)));
    let too_late = Mono(later.0 + 1);
    assert_eq!(repeats.look(too_late, 102, &content(1)), Verdict::Forgotten);
}

#[test]
fn a_number_that_comes_late_is_new_although_later_ones_are_forgotten() {
    let mut repeats = Repeats::default();
    for request in 2..200 {
        serve(&mut repeats, NOW, request, 1);
    }
    assert_eq!(repeats.look(NOW, 1, &content(1)), Verdict::New, "it waited on a slow lane");
    serve(&mut repeats, NOW, 1, 1);
    assert!(matches!(repeats.look(NOW, 1, &content(1)), Verdict::Answered(_)));
}

#[test]
fn nothing_that_was_handed_over_is_ever_new_again() {
    for seed in 0..20 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let (mut repeats, mut handed_over) = (Repeats::default(), std::collections::BTreeSet::new());
        let mut next = 1;
        for _ in 0..4_000 {
            // Mostly the next one, sometimes a leap, sometimes an old one.
            let request = match rng.u8(..) {
                0 => next + rng.u64(..3_000),
                1..60 => rng.u64(1..=next),
                60.. => next,
            };
            next = next.max(request + 1);
            let verdict = repeats.look(NOW, request, &content(1));
            if handed_over.contains(&request) {
                assert_ne!(verdict, Verdict::New, "seed {seed}, number {request}");
            } else {
                assert!(
                    matches!(verdict, Verdict::New | Verdict::Forgotten),
                    "seed {seed}, number {request}"
                );
            }
            if verdict == Verdict::New {
                handed_over.insert(request);
                repeats.handed_over(request, content(1));
            }
            if rng.bool() {
                repeats.answered(NOW, request, &value(1, 1));
            }
        }
    }
}
