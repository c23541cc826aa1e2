//! What is wrong in an expression is found: else the other tests prove nothing.

use lightmoon_dashboards::Metrics;

use crate::walk::problems;

const TABLE: &str = "| `lightmoon_a_total` | counter | `reason` | A. | `a` |\n\
                     | `lightmoon_b` | gauge |  | B. | `b` |\n\
                     | `lightmoon_c_seconds` | histogram | `kind` | C. | `c` |\n";

fn found(expression: &str) -> Vec<String> {
    problems(&Metrics::of(TABLE), expression)
}

#[test]
fn what_is_right_is_not_complained_of() {
    for right in [
        "sum by (instance, reason) (rate(lightmoon_a_total{reason=~\"x|y\"}[5m]))",
        "lightmoon_b / on (instance) group_left (reason) lightmoon_a_total",
        "histogram_quantile(0.9, sum by (le, kind) (rate(lightmoon_c_seconds_bucket{job=\"x\"}[5m])))",
        "sum(rate(lightmoon_c_seconds_sum[1m])) / sum(rate(lightmoon_c_seconds_count[1m]))",
        "up == 0",
        "max_over_time(lightmoon_b[5m:1m])",
    ] {
        assert_eq!(found(right), Vec::<String>::new(), "{right}");
    }
}

#[test]
fn a_metric_that_is_not_exported_is_found() {
    for wrong in
        ["lightmoon_d", "rate(lightmoon_a[5m])", "lightmoon_c_seconds", "lightmoon_b_sum", "node_load1"]
    {
        let found = found(wrong);
        assert!(found.iter().any(|problem| problem.contains("no metric")), "{wrong}: {found:?}");
    }
}

#[test]
fn a_label_that_a_metric_does_not_have_is_found_wherever_it_stands() {
    for wrong in [
        "lightmoon_a_total{kind=\"x\"}",
        "sum by (kind) (lightmoon_a_total)",
        "sum without (le) (lightmoon_c_seconds_count)",
        "lightmoon_b + on (reason) lightmoon_b",
        "lightmoon_b * on (instance) group_left (kind) lightmoon_a_total",
        "rate(lightmoon_a_total{le=\"1\"}[1m])",
    ] {
        let found = found(wrong);
        assert!(found.iter().any(|problem| problem.contains("label")), "{wrong}: {found:?}");
    }
}

#[test]
fn what_is_no_expression_is_found() {
    for wrong in ["sum(lightmoon_b", "rate(lightmoon_a_total)", "lightmoon_b >", "foo(lightmoon_b)", ""] {
        assert_eq!(found(wrong).len(), 1, "{wrong}");
    }
}
