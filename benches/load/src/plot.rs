//! Plots as SVG.
//!
//! *Responsible for*: how a plot looks. *Not responsible for*: what it shows ([`report`](crate::report)).

use std::ops::Range;
use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::prelude::*;

/// Size of a plot: as wide as the text column of a page, read without magnifying.
const SIZE: (u32, u32) = (860, 400);
const INK: RGBColor = RGBColor(45, 52, 64);
const PALE: RGBColor = RGBColor(226, 230, 236);
const MARK: RGBColor = RGBColor(196, 64, 64);
/// Colours of series, in order; told apart also by those who see no red or green.
const COLOURS: [RGBColor; 6] = [
    RGBColor(38, 99, 184),
    RGBColor(230, 143, 44),
    RGBColor(42, 157, 143),
    RGBColor(136, 96, 176),
    RGBColor(120, 128, 140),
    RGBColor(212, 96, 136),
];
const FONT: &str = "sans-serif";

/// A line or, stacked, an area.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

/// A line across the plot: a goal, or a moment.
#[derive(Clone, Debug)]
pub(crate) enum Line {
    /// At a height.
    Across(f64, String),
    /// At a time; the first of several is named.
    Down(f64, String),
}

/// How numbers stand on the x axis.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Axis {
    /// As they are.
    Plain,
    /// Nines of a share: 1 is 90 %, 2 is 99 %.
    Nines,
}

/// A plot.
#[derive(Clone, Debug)]
pub(crate) struct Plot {
    pub(crate) title: &'static str,
    pub(crate) x: &'static str,
    pub(crate) y: &'static str,
    pub(crate) axis: Axis,
    /// Whether series lie on one another.
    pub(crate) is_stacked: bool,
    pub(crate) series: Vec<Series>,
    pub(crate) lines: Vec<Line>,
}

/// The x of a share on an axis of nines.
pub(crate) fn nines(share: f64) -> f64 {
    -(1.0 - share).max(1.0e-6).log10()
}

/// What is drawn on.
type Chart<'a> = ChartContext<
    'a,
    SVGBackend<'a>,
    Cartesian2d<plotters::coord::types::RangedCoordf64, plotters::coord::types::RangedCoordf64>,
>;

impl Plot {
    /// Writes it.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let failed = |error: &dyn std::fmt::Display| anyhow!("cannot draw {}: {error}", path.display());
        self.draw(path).map_err(|error| failed(&error))
    }

    fn draw(&self, path: &Path) -> Result<(), Box<dyn std::error::Error>> {
        let root = SVGBackend::new(path, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        let (xs, ys) = self.ranges();
        let mut chart = ChartBuilder::on(&root)
            .caption(self.title, (FONT, 19).into_font().style(FontStyle::Bold).color(&INK))
            .margin(14)
            .margin_right(28)
            .x_label_area_size(44)
            .y_label_area_size(64)
            .build_cartesian_2d(xs.clone(), ys.clone())?;
        let axis = self.axis;
        let x_label = move |x: &f64| match axis {
            Axis::Plain => number(*x),
            Axis::Nines => share(*x),
        };
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(PALE)
            .axis_style(INK.mix(0.5))
            .label_style((FONT, 14).into_font().color(&INK))
            .axis_desc_style((FONT, 15).into_font().color(&INK))
            .x_labels(if axis == Axis::Nines { 5 } else { 9 })
            .y_labels(7)
            .x_label_formatter(&x_label)
            .y_label_formatter(&|y| number(*y))
            .x_desc(self.x)
            .y_desc(self.y)
            .draw()?;
        self.draw_series(&mut chart)?;
        self.draw_lines(&mut chart, &xs, &ys)?;
        if self.series.len() > 1 || self.is_stacked {
            let is_rising = axis == Axis::Nines;
            chart
                .configure_series_labels()
                .position(if is_rising {
                    SeriesLabelPosition::UpperLeft
                } else {
                    SeriesLabelPosition::UpperRight
                })
                .background_style(WHITE.mix(0.88))
                .border_style(PALE)
                .label_font((FONT, 14).into_font().color(&INK))
                .margin(8)
                .draw()?;
        }
        root.present()?;
        Ok(())
    }

    fn draw_series(&self, chart: &mut Chart<'_>) -> Result<(), Box<dyn std::error::Error>> {
        let longest = self.series.iter().map(|series| series.points.len()).max().unwrap_or(0);
        let mut floor = vec![0.0; longest];
        let mut layers = Vec::new();
        for (series, colour) in self.series.iter().zip(COLOURS.iter().cycle()) {
            let mut points = series.points.clone();
            if self.is_stacked {
                points.iter_mut().zip(&mut floor).for_each(|(point, floor)| {
                    *floor += point.1;
                    point.1 = *floor;
                });
            }
            layers.push((series.name.clone(), points, *colour));
        }
        // Of areas the highest is drawn first and the others over it.
        for (name, points, colour) in layers.into_iter().rev() {
            let drawn = if self.is_stacked {
                let area = AreaSeries::new(points, 0.0, colour.mix(0.92));
                chart.draw_series(area.border_style(WHITE.stroke_width(1)))?
            } else {
                chart.draw_series(LineSeries::new(points, colour.stroke_width(2)))?
            };
            let mark = move |(x, y)| Rectangle::new([(x, y - 5), (x + 14, y + 5)], colour.filled());
            drawn.label(name).legend(mark);
        }
        Ok(())
    }

    fn draw_lines(
        &self,
        chart: &mut Chart<'_>,
        xs: &Range<f64>,
        ys: &Range<f64>,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let (wide, high) = (xs.end - xs.start, ys.end - ys.start);
        // Beside the legend, wherever that is.
        let beside = xs.start + wide * if self.axis == Axis::Nines { 0.16 } else { 0.01 };
        for line in &self.lines {
            let (from, to, at, text) = match line {
                Line::Across(y, text) => ((xs.start, *y), (xs.end, *y), (beside, y + high * 0.045), text),
                Line::Down(x, text) => {
                    ((*x, ys.start), (*x, ys.end), (x + wide * 0.006, ys.start + high * 0.97), text)
                }
            };
            chart.draw_series(DashedLineSeries::new([from, to], 6, 4, MARK.stroke_width(1)))?;
            chart.draw_series([Text::new(text.clone(), at, (FONT, 13).into_font().color(&MARK))])?;
        }
        Ok(())
    }

    fn ranges(&self) -> (Range<f64>, Range<f64>) {
        let all = || self.series.iter().flat_map(|series| &series.points);
        let (first, last) =
            all().fold((f64::MAX, f64::MIN), |(low, high), (x, _)| (low.min(*x), high.max(*x)));
        let highest = if self.is_stacked {
            let longest = self.series.iter().map(|series| series.points.len()).max().unwrap_or(0);
            let sum = |at: usize| {
                self.series.iter().filter_map(|series| series.points.get(at)).map(|point| point.1).sum()
            };
            (0..longest).map(sum).fold(0.0, f64::max)
        } else {
            all().map(|point| point.1).fold(0.0, f64::max)
        };
        let goals = self.lines.iter().map(|line| if let Line::Across(y, _) = line { *y } else { 0.0 });
        let top = goals.fold(highest, f64::max);
        // Room above for the legend.
        let room = if self.is_stacked { 1.5 } else { 1.2 };
        (first.min(last)..last.max(first + 1.0e-6), 0.0..(top * room).max(1.0e-6))
    }
}

/// A number with as many digits as it needs.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn share(nines: f64) -> String {
    let percent = 100.0 * (1.0 - 10.0_f64.powf(-nines));
    let text = format!("{percent:.4}");
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_is_an_svg_with_its_words() {
        let path = std::env::temp_dir().join(format!("lightmoon-plot-{}.svg", std::process::id()));
        let series = Series { name: "node".to_owned(), points: vec![(0.0, 1.0), (1.0, 2.0)] };
        let other = Series { name: "store".to_owned(), points: vec![(0.0, 1.0), (1.0, 2.0)] };
        for (axis, is_stacked) in [(Axis::Plain, true), (Axis::Nines, false)] {
            let plot = Plot {
                title: "Shares",
                x: "seconds",
                y: "percent",
                axis,
                is_stacked,
                series: vec![series.clone(), other.clone()],
                lines: vec![Line::Across(3.0, "goal".to_owned()), Line::Down(0.5, "kill".to_owned())],
            };
            plot.write(&path).unwrap();
            let text = std::fs::read_to_string(&path).unwrap();
            for word in ["<svg", "Shares", "seconds", "percent", "node", "store", "goal", "kill", "</svg>"] {
                assert!(text.contains(word), "{word}");
            }
        }
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn nines_are_read_back_as_shares() {
        assert_eq!(share(nines(0.99)), "99 %");
        assert_eq!(share(nines(0.999)), "99.9 %");
        assert_eq!(share(nines(0.0)), "0 %");
        assert_eq!((number(2.0), number(0.25)), ("2".to_owned(), "0.25".to_owned()));
    }
}
