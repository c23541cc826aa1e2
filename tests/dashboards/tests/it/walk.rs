//! Walks an expression and holds what it names against the metrics that there are.

use std::collections::BTreeSet;

use lightmoon_dashboards::Metrics;
use promql_parser::parser::{self, Expr, LabelModifier, VectorSelector};

/// What is wrong in an expression.
pub(crate) fn problems(metrics: &Metrics, expression: &str) -> Vec<String> {
    match parser::parse(expression) {
        Ok(parsed) => {
            let mut walk = Walk { metrics, problems: Vec::new() };
            walk.labels_of(&parsed);
            walk.problems
        }
        Err(error) => vec![error],
    }
}

struct Walk<'a> {
    metrics: &'a Metrics,
    problems: Vec<String>,
}

impl Walk<'_> {
    /// The labels that what an expression gives may have. On the way it names what is wrong below.
    fn labels_of(&mut self, expression: &Expr) -> BTreeSet<String> {
        match expression {
            Expr::Aggregate(aggregate) => {
                let inside = self.labels_of(&aggregate.expr);
                aggregate.param.iter().for_each(|param| drop(self.labels_of(param)));
                self.named(aggregate.modifier.as_ref(), &inside);
                match &aggregate.modifier {
                    Some(LabelModifier::Include(kept)) => kept.labels.iter().cloned().collect(),
                    Some(LabelModifier::Exclude(gone)) => {
                        inside.into_iter().filter(|label| !gone.labels.contains(label)).collect()
                    }
                    None => BTreeSet::new(),
                }
            }
            Expr::Binary(binary) => {
                let (mut left, right) = (self.labels_of(&binary.lhs), self.labels_of(&binary.rhs));
                if let Some(modifier) = &binary.modifier {
                    self.named(modifier.matching.as_ref(), &left);
                    self.named(modifier.matching.as_ref(), &right);
                    let grouped = modifier.card.labels().map(|labels| labels.labels.clone());
                    let both: BTreeSet<String> = left.union(&right).cloned().collect();
                    grouped.into_iter().flatten().for_each(|label| self.named_label(&label, &both));
                }
                left.extend(right);
                left
            }
            Expr::Unary(unary) => self.labels_of(&unary.expr),
            Expr::Paren(paren) => self.labels_of(&paren.expr),
            Expr::Subquery(subquery) => self.labels_of(&subquery.expr),
            Expr::Call(call) => {
                let arguments = call.args.args.iter().map(|argument| self.labels_of(argument));
                arguments.reduce(|all, more| all.union(&more).cloned().collect()).unwrap_or_default()
            }
            Expr::VectorSelector(selector) => self.selected(selector),
            Expr::MatrixSelector(matrix) => self.selected(&matrix.vs),
            Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => BTreeSet::new(),
        }
    }

    fn selected(&mut self, selector: &VectorSelector) -> BTreeSet<String> {
        let Some(name) = &selector.name else {
            self.problems.push("a series without a name".to_owned());
            return BTreeSet::new();
        };
        let Some(labels) = self.metrics.labels(name) else {
            self.problems.push(format!("there is no metric {name}"));
            return BTreeSet::new();
        };
        let labels: BTreeSet<String> = labels.into_iter().map(str::to_owned).collect();
        selector.matchers.matchers.iter().for_each(|matcher| self.named_label(&matcher.name, &labels));
        labels
    }

    fn named(&mut self, modifier: Option<&LabelModifier>, known: &BTreeSet<String>) {
        let labels = modifier.map(|modifier| modifier.labels().labels.clone());
        labels.into_iter().flatten().for_each(|label| self.named_label(&label, known));
    }

    fn named_label(&mut self, label: &str, known: &BTreeSet<String>) {
        if !known.contains(label) {
            self.problems.push(format!("there is no label {label} here, only {known:?}"));
        }
    }
}
