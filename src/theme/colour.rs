//! Names and values of colours, and how they are brought down to what a terminal has.

use ratatui::style::Color;

use super::Depth;

/// The sixteen colours by their numbers: name in a theme file, ratatui's name, xterm's value.
const SIXTEEN: [(&str, Color, [u8; 3]); 16] = [
    ("black", Color::Black, [0x00, 0x00, 0x00]),
    ("red", Color::Red, [0xcd, 0x00, 0x00]),
    ("green", Color::Green, [0x00, 0xcd, 0x00]),
    ("yellow", Color::Yellow, [0xcd, 0xcd, 0x00]),
    ("blue", Color::Blue, [0x00, 0x00, 0xee]),
    ("magenta", Color::Magenta, [0xcd, 0x00, 0xcd]),
    ("cyan", Color::Cyan, [0x00, 0xcd, 0xcd]),
    ("white", Color::Gray, [0xe5, 0xe5, 0xe5]),
    ("bright-black", Color::DarkGray, [0x7f, 0x7f, 0x7f]),
    ("bright-red", Color::LightRed, [0xff, 0x00, 0x00]),
    ("bright-green", Color::LightGreen, [0x00, 0xff, 0x00]),
    ("bright-yellow", Color::LightYellow, [0xff, 0xff, 0x00]),
    ("bright-blue", Color::LightBlue, [0x5c, 0x5c, 0xff]),
    ("bright-magenta", Color::LightMagenta, [0xff, 0x00, 0xff]),
    ("bright-cyan", Color::LightCyan, [0x00, 0xff, 0xff]),
    ("bright-white", Color::White, [0xff, 0xff, 0xff]),
];

/// The steps of the colour cube.
const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// Reads `reset`, a name of the sixteen, or `#rrggbb`.
pub(super) fn parse(text: &str) -> Result<Color, String> {
    if text == "reset" {
        return Ok(Color::Reset);
    }
    if let Some((_, colour, _)) = SIXTEEN.iter().find(|(name, ..)| *name == text) {
        return Ok(*colour);
    }
    let wrong = || format!("{text:?} is neither #rrggbb nor a colour's name");
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6).ok_or_else(wrong)?;
    let value = u32::from_str_radix(digits, 16).ok().ok_or_else(wrong)?;
    let [_, red, green, blue] = value.to_be_bytes();
    Ok(Color::Rgb(red, green, blue))
}

/// The value of a colour that has one: not of the sixteen, which are whatever the terminal's owner made of them.
pub(super) fn value(colour: Color) -> Option<[u8; 3]> {
    match colour {
        Color::Rgb(red, green, blue) => Some([red, green, blue]),
        Color::Indexed(number @ 16..) => Some(indexed_value(number)),
        _ => None,
    }
}

/// What xterm makes of one of the sixteen.
#[cfg(test)]
pub(super) fn of_xterm(colour: Color) -> Option<[u8; 3]> {
    SIXTEEN.iter().find(|(_, named, _)| *named == colour).map(|(_, _, value)| *value)
}

/// A colour as a theme file writes it; one of the 256 is its number.
pub(super) fn shown(colour: Color) -> String {
    match colour {
        Color::Rgb(red, green, blue) => format!("#{red:02x}{green:02x}{blue:02x}"),
        Color::Indexed(number) => number.to_string(),
        _ => {
            let named = SIXTEEN.iter().find(|(_, named, _)| *named == colour);
            named.map_or("reset", |(name, ..)| name).to_owned()
        }
    }
}

/// The nearest colour that `depth` has.
pub(super) fn reduce(colour: Color, depth: Depth) -> Color {
    let Color::Rgb(red, green, blue) = colour else {
        return colour;
    };
    let wanted = [red, green, blue];
    match depth {
        Depth::True => colour,
        Depth::Indexed => Color::Indexed(nearest_indexed(wanted)),
        Depth::Sixteen | Depth::Mono => nearest_sixteen(wanted),
    }
}

fn nearest_sixteen(wanted: [u8; 3]) -> Color {
    let nearest = SIXTEEN.iter().min_by_key(|(_, _, value)| distance(wanted, *value));
    nearest.map_or(Color::Reset, |(_, colour, _)| *colour)
}

/// Of the cube and the greys; the first sixteen are whatever the terminal's owner made of them.
fn nearest_indexed(wanted: [u8; 3]) -> u8 {
    let candidates = (16..=255_u8).map(|number| (number, indexed_value(number)));
    candidates.min_by_key(|(_, value)| distance(wanted, *value)).map_or(16, |(number, _)| number)
}

fn indexed_value(number: u8) -> [u8; 3] {
    if number >= 232 {
        return [8 + 10 * (number - 232); 3];
    }
    let step = |divisor: u8| CUBE[usize::from((number - 16) / divisor % 6)];
    [step(36), step(6), step(1)]
}

fn distance(a: [u8; 3], b: [u8; 3]) -> u32 {
    // Green counts most for the eye, blue least.
    let weights = [3, 4, 2];
    a.iter().zip(b).zip(weights).map(|((a, b), weight)| u32::from(a.abs_diff(b)).pow(2) * weight).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_to_their_nearest_neighbours() {
        let rgb = |text: &str| parse(text).unwrap();
        assert_eq!(reduce(rgb("#7fb0ff"), Depth::Indexed), Color::Indexed(111));
        assert_eq!(reduce(rgb("#ffffff"), Depth::Indexed), Color::Indexed(231));
        assert_eq!(reduce(rgb("#808080"), Depth::Indexed), Color::Indexed(244));
        assert_eq!(reduce(rgb("#fe0101"), Depth::Sixteen), Color::LightRed);
        assert_eq!(reduce(Color::Reset, Depth::Sixteen), Color::Reset);
    }

    #[test]
    fn only_whole_values_are_read() {
        for text in ["#fff", "fff000", "#gggggg", "purple", "", "#１２３４５６"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert_eq!(parse("bright-black"), Ok(Color::DarkGray));
    }
}
