//! Every name and label in dashboards and alert rules is one that a server exports; without a Prometheus.

mod expressions;
mod walk;
mod words;

use std::collections::BTreeSet;

use lightmoon_dashboards::{Metrics, alerts, dashboards, read, tried};

use crate::walk::problems;

#[test]
fn every_expression_of_every_panel_asks_for_metrics_and_labels_that_there_are() {
    let metrics = Metrics::of_the_book().unwrap();
    let mut found = Vec::new();
    for dashboard in dashboards().unwrap() {
        let expressions = dashboard.expressions();
        assert!(!expressions.is_empty(), "{}", dashboard.file);
        for expression in expressions {
            let text = expression.filled("5m");
            assert!(!text.contains('$'), "{}: {text} has a variable that nobody fills in", expression.place);
            found.extend(
                problems(&metrics, &text)
                    .into_iter()
                    .map(|problem| format!("{}: {problem}\n  {text}", expression.place)),
            );
        }
        for (metric, label) in dashboard.variables() {
            let labels = metrics.labels(&metric).unwrap_or_else(|| panic!("{}: {metric}", dashboard.file));
            assert!(labels.contains(&label.as_str()), "{}: {metric} by {label}", dashboard.file);
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_rule_asks_for_metrics_and_labels_that_there_are() {
    let metrics = Metrics::of_the_book().unwrap();
    let found = alerts().unwrap().into_iter().flat_map(|alert| {
        let problems = problems(&metrics, &alert.expression);
        problems.into_iter().map(move |problem| format!("{}: {problem}", alert.name))
    });
    let found: Vec<String> = found.collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_rule_says_how_urgent_it_is_and_what_to_do() {
    let mut names = BTreeSet::new();
    for alert in alerts().unwrap() {
        let word = |name: &str| alert.words.get(name).unwrap_or_else(|| panic!("{}: no {name}", alert.name));
        assert!(["page", "ticket"].contains(&word("severity").as_str()), "{}", alert.name);
        assert!(!word("summary").is_empty() && word("description").ends_with('.'), "{}", alert.name);
        let (page, section) = word("runbook").split_once('#').unwrap();
        let text = read(page).unwrap();
        let sections: Vec<String> =
            text.lines().filter_map(|line| line.strip_prefix("### ")).map(anchor).collect();
        assert!(sections.iter().any(|known| known == section), "{}: no section {section}", alert.name);
        let is_named = text.contains(&format!("*{}*", alert.name));
        assert!(is_named, "{page} does not name {}", alert.name);
        assert!(names.insert(alert.name.clone()), "{} twice", alert.name);
    }
}

#[test]
fn every_rule_is_tried_ringing_and_resting() {
    let tried = tried().unwrap();
    for alert in alerts().unwrap() {
        assert_eq!(tried.get(&alert.name), Some(&(true, true)), "{}: rings, rests", alert.name);
    }
}

#[test]
fn panels_can_be_told_apart_and_say_their_unit() {
    let mut uids = BTreeSet::new();
    for dashboard in dashboards().unwrap() {
        let json = &dashboard.json;
        let uid = json["uid"].as_str().unwrap().to_owned();
        assert_eq!(dashboard.file, format!("{uid}.json"));
        assert!(uids.insert(uid), "{}", dashboard.file);
        let mut ids = BTreeSet::new();
        for panel in dashboard.panels() {
            let place = format!("{}: {}", dashboard.file, panel["title"]);
            assert!(ids.insert(panel["id"].as_u64().unwrap()), "{place}: its id is another's");
            assert!(panel["description"].as_str().is_some_and(|text| text.ends_with('.')), "{place}");
            assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{place}: no unit");
            assert_eq!(panel["datasource"]["uid"], "$datasource", "{place}");
            assert!(panel["targets"].as_array().is_some_and(|targets| !targets.is_empty()), "{place}");
        }
    }
}

/// The anchor that the book gives a heading.
fn anchor(heading: &str) -> String {
    let words = heading.to_lowercase();
    let kept = words.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}
