//! Words that players give us: names and lines of chat.
//!
//! *Responsible for*: making them fit to show. *Not responsible for*: who hears them ([`crate::sector`]).
//!
//! Invariants:
//! - I1: a cleaned text has no control character, no invisible or direction-changing one, no doubled or outer space.
//! - I2: a name has 1 to [`NAME_CHARS_MAX`] characters, a line 1 to [`LINE_CHARS_MAX`].

/// Longest name, in characters: what fits above a ship.
pub const NAME_CHARS_MAX: usize = 24;
/// Longest line of chat, in characters.
pub const LINE_CHARS_MAX: usize = 200;

/// A name fit to show; `None` if nothing is left of it.
#[must_use]
pub fn clean_name(claimed: &str) -> Option<String> {
    cleaned(claimed, NAME_CHARS_MAX)
}

/// A line of chat fit to show; `None` if nothing is left of it.
#[must_use]
pub fn clean_line(claimed: &str) -> Option<String> {
    cleaned(claimed, LINE_CHARS_MAX)
}

fn cleaned(claimed: &str, chars_max: usize) -> Option<String> {
    let mut text = String::new();
    let mut count = 0;
    let mut space_waits = false;
    for letter in claimed.chars().filter(|letter| !is_hidden(*letter)) {
        if letter.is_whitespace() {
            space_waits = count > 0;
            continue;
        }
        if count + usize::from(space_waits) + 1 > chars_max {
            break;
        }
        if space_waits {
            text.push(' ');
            count += 1;
            space_waits = false;
        }
        text.push(letter);
        count += 1;
    }
    (count > 0).then_some(text)
}

/// Characters that show nothing themselves but change what is around them.
fn is_hidden(letter: char) -> bool {
    let invisible = matches!(letter,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{ffff}' | '\u{e0000}'..='\u{e0fff}');
    invisible || (letter.is_control() && !letter.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_squeezed_and_cut() {
        assert_eq!(clean_name("  Ada \t\n Lovelace "), Some("Ada Lovelace".to_owned()));
        let long = clean_name(&"x".repeat(100)).unwrap_or_default();
        assert_eq!(long.chars().count(), NAME_CHARS_MAX);
        assert_eq!(clean_name(&"ß".repeat(30)).map(|name| name.chars().count()), Some(NAME_CHARS_MAX));
    }

    #[test]
    fn a_cut_name_ends_without_a_space() {
        let name = clean_name(&format!("{} tail", "x".repeat(NAME_CHARS_MAX - 1))).unwrap_or_default();
        assert!(!name.ends_with(' ') && name.chars().count() <= NAME_CHARS_MAX, "{name:?}");
    }

    #[test]
    fn nothing_visible_is_no_name() {
        for empty in ["", "   ", "\u{200b}\u{202e}", "\u{0}\u{7}\u{1b}", "\u{feff}", "\u{3164}"] {
            assert_eq!(clean_name(empty), None, "{empty:?}");
        }
    }

    #[test]
    fn letters_of_the_world_pass_and_hidden_ones_do_not() {
        assert_eq!(clean_name("Zoë 愛 Ж"), Some("Zoë 愛 Ж".to_owned()));
        assert_eq!(clean_name("a\u{202e}b\u{200d}c"), Some("abc".to_owned()));
    }

    #[test]
    fn whatever_is_claimed_the_result_is_clean() {
        for seed in 0..300 {
            let mut random = fastrand::Rng::with_seed(seed);
            let claimed: String = (0..random.usize(..400)).map(|_| random.char(..)).collect();
            let Some(line) = clean_line(&claimed) else { continue };
            assert!(line.chars().count() <= LINE_CHARS_MAX, "seed {seed}");
            assert!(line == line.trim() && !line.contains("  "), "seed {seed}: {line:?}");
            assert!(line.chars().all(|letter| !letter.is_control()), "seed {seed}: {line:?}");
        }
    }
}
