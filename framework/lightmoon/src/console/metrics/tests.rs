//! Tests of names, labels and text of metrics.

use std::collections::BTreeSet;

use super::*;
use crate::board::Snapshot;
use crate::ended_zones::EndedZones;
use lightmoon_contract::{ActorId, Kind, Times};
use lightmoon_zone::ZoneReport;
use metric::{Type, of};
use std::time::Duration;

fn metrics() -> impl Iterator<Item = &'static Metric> {
    AREAS.iter().copied().flatten()
}

fn board() -> Board {
    crate::board::blank()
}

#[test]
fn names_follow_the_rules() {
    let mut seen = BTreeSet::new();
    for metric in metrics() {
        let name = metric.name;
        assert!(seen.insert(name), "{name} twice");
        assert!(name.starts_with("lightmoon_") && metric.help.ends_with('.'), "{name}");
        assert_eq!(name.ends_with("_total"), metric.kind == Type::Counter, "{name}");
        assert!(metric.kind != Type::Histogram || name.ends_with("_seconds"), "{name}");
        // Prometheus gives these ends to parts of histograms.
        assert!(!["_bucket", "_sum", "_count"].iter().any(|end| name.ends_with(end)), "{name}");
    }
}

#[test]
fn labels_are_those_that_are_bounded() {
    let bounded = ["kind", "lane", "phase", "priority", "reason", "version", "worker"];
    for metric in metrics() {
        for label in metric.labels {
            assert!(bounded.contains(label), "{}: {label}", metric.name);
        }
    }
}

#[test]
fn every_line_is_a_header_or_a_number_of_a_metric() {
    let text = text(&board());
    for metric in metrics() {
        let header = format!("# HELP {} ", metric.name);
        assert_eq!(text.matches(&header).count(), 1, "{header}");
    }
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (series, number) = line.rsplit_once(' ').unwrap();
        number.parse::<f64>().unwrap();
        let name = series.split('{').next().unwrap();
        let ends = ["", "_bucket", "_sum", "_count"];
        let is_known = ends.iter().any(|end| {
            name.strip_suffix(end).is_some_and(|name| metrics().any(|metric| metric.name == name))
        });
        assert!(is_known, "{line}");
    }
    assert!(text.contains("\nlightmoon_healthy 1\n"));
    assert!(text.contains("\nlightmoon_build_info{version=\"1\"} 1\n"));
}

fn zone(ticks: u64) -> ZoneReport {
    let mut report = ZoneReport::default();
    report.counters.ticks = ticks;
    for _ in 0..ticks {
        report.times.tick.add(Duration::from_millis(3));
    }
    report
}

fn seen(zones: Vec<(ActorId, ZoneReport)>, ended: &mut EndedZones, board: &Board) -> String {
    ended.pass(&board.snapshot().node.zones, &zones);
    let mut snapshot = Snapshot { ended_zones: ended.clone(), ..Snapshot::default() };
    snapshot.node.zones = zones;
    board.set_snapshot(snapshot);
    text(board)
}

#[test]
fn counts_of_a_zone_that_ends_or_begins_anew_stay() {
    let (board, mut ended) = (board(), EndedZones::default());
    let (one, two) = (ActorId::new(Kind(2), 1), ActorId::new(Kind(2), 2));
    let first = seen(vec![(one, zone(5)), (two, zone(70))], &mut ended, &board);
    assert!(first.contains("\nlightmoon_zone_tick_total{kind=\"2\"} 75\n"), "{first}");
    let gone = seen(vec![(one, zone(6))], &mut ended, &board);
    assert!(gone.contains("\nlightmoon_zone_tick_total{kind=\"2\"} 76\n"), "{gone}");
    assert!(gone.contains("\nlightmoon_zone_running{kind=\"2\"} 1\n"), "{gone}");
    assert!(gone.contains("\nlightmoon_zone_tick_seconds_count{kind=\"2\"} 76\n"), "{gone}");
    let anew = seen(vec![(one, zone(2))], &mut ended, &board);
    assert!(anew.contains("\nlightmoon_zone_tick_total{kind=\"2\"} 78\n"), "{anew}");
    let none = seen(Vec::new(), &mut ended, &board);
    assert!(none.contains("\nlightmoon_zone_tick_total{kind=\"2\"} 78\n"), "{none}");
}

#[test]
fn a_histogram_has_all_buckets_its_sum_and_its_count() {
    let (board, mut ended) = (board(), EndedZones::default());
    let text = seen(vec![(ActorId::new(Kind(2), 1), zone(4))], &mut ended, &board);
    let lines: Vec<&str> =
        text.lines().filter(|line| line.starts_with("lightmoon_zone_tick_seconds_")).collect();
    assert_eq!(lines.len(), Times::default().buckets().count() + 3);
    assert!(lines[0].starts_with("lightmoon_zone_tick_seconds_bucket{kind=\"2\",le=\"0.000004096\"} 0"));
    assert!(lines.contains(&"lightmoon_zone_tick_seconds_bucket{kind=\"2\",le=\"0.002097152\"} 0"));
    assert!(lines.contains(&"lightmoon_zone_tick_seconds_bucket{kind=\"2\",le=\"0.004194304\"} 4"));
    assert!(lines.contains(&"lightmoon_zone_tick_seconds_bucket{kind=\"2\",le=\"+Inf\"} 4"));
    assert!(lines.contains(&"lightmoon_zone_tick_seconds_sum{kind=\"2\"} 0.012"));
    assert!(lines.contains(&"lightmoon_zone_tick_seconds_count{kind=\"2\"} 4"));
}

#[test]
fn labels_are_escaped() {
    let metric = metric::gauge_each("lightmoon_odd", &["kind"], "Odd.", |_, out| {
        out.number(&["a\"b\\c\nd"], 1.0);
    });
    let board = board();
    let mut text = String::new();
    metric.write(&Sources::of(&board.seen()), &mut text);
    assert_eq!(text.lines().last(), Some(r#"lightmoon_odd{kind="a\"b\\c\nd"} 1"#));
}

#[test]
fn counts_are_exact() {
    assert!((of(1_u64 << 40) - 1_099_511_627_776.0).abs() < f64::EPSILON);
}
