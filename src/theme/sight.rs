//! What eyes make of two colours: how far they stand out of each other, also for people who see some colours alike.

/// A colour by its three values, red first, as sRGB has them.
pub(super) type Rgb = [u8; 3];

/// Kinds of colour blindness, each at its full strength.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Eyes {
    /// Without the cones for long waves.
    Protan,
    /// Without those for middle waves; the commonest.
    Deutan,
    /// Without those for short waves.
    Tritan,
}

impl Eyes {
    /// All three.
    pub(super) const ALL: [Self; 3] = [Self::Protan, Self::Deutan, Self::Tritan];

    /// The word for people.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Protan => "protan",
            Self::Deutan => "deutan",
            Self::Tritan => "tritan",
        }
    }

    /// What they make of linear red, green and blue.
    ///
    /// Source: Machado, Oliveira, Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency",
    /// 2009, table 1, severity 1.0.
    const fn matrix(self) -> [[f64; 3]; 3] {
        match self {
            Self::Protan => [
                [0.152_286, 1.052_583, -0.204_868],
                [0.114_503, 0.786_281, 0.099_216],
                [-0.003_882, -0.048_116, 1.051_998],
            ],
            Self::Deutan => [
                [0.367_322, 0.860_646, -0.227_968],
                [0.280_085, 0.672_501, 0.047_413],
                [-0.011_820, 0.042_940, 0.968_881],
            ],
            Self::Tritan => [
                [1.255_528, -0.076_749, -0.178_779],
                [-0.078_411, 0.930_809, 0.147_602],
                [0.004_733, 0.691_367, 0.303_900],
            ],
        }
    }
}

/// Linear sRGB to CIE XYZ for the white D65.
///
/// Source: IEC 61966-2-1.
const TO_XYZ: [[f64; 3]; 3] = [
    [0.412_456_4, 0.357_576_1, 0.180_437_5],
    [0.212_672_9, 0.715_152_2, 0.072_175_0],
    [0.019_333_9, 0.119_192_0, 0.950_304_1],
];
const WHITE: [f64; 3] = [0.950_47, 1.0, 1.088_83];

/// How far two colours differ in brightness, from 1 (alike) to 21 (black and white).
///
/// Source: WCAG 2.1, "contrast ratio".
pub(super) fn contrast(a: Rgb, b: Rgb) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// How far apart `eyes` see two colours: CIE 1976 ΔE*ab. A trained eye beside the other notices 2; at a glance, in thin
/// strokes, it takes about 20.
pub(super) fn distance(a: Rgb, b: Rgb, eyes: Eyes) -> f64 {
    let (a, b) = (lab(a, eyes), lab(b, eyes));
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

/// Whether dark text is what can be read on it: it is lighter than the grey in the middle.
pub fn is_light(colour: [u8; 3]) -> bool {
    luminance(colour) > 0.18
}

fn luminance(colour: Rgb) -> f64 {
    let [_, weights, _] = TO_XYZ;
    dot(weights, linear(colour))
}

fn lab(colour: Rgb, eyes: Eyes) -> [f64; 3] {
    let seen = times(eyes.matrix(), linear(colour)).map(|value| value.clamp(0.0, 1.0));
    let xyz = times(TO_XYZ, seen);
    let [x, y, z] = [0, 1, 2].map(|at| response(xyz[at] / WHITE[at]));
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

/// CIE's cube root, straight near black.
fn response(value: f64) -> f64 {
    if value > 216.0 / 24389.0 { value.cbrt() } else { (24389.0 / 27.0 * value + 16.0) / 116.0 }
}

fn linear(colour: Rgb) -> [f64; 3] {
    colour.map(|value| {
        let value = f64::from(value) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    })
}

fn times(matrix: [[f64; 3]; 3], vector: [f64; 3]) -> [f64; 3] {
    matrix.map(|row| dot(row, vector))
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLACK: Rgb = [0; 3];
    const WHITE: Rgb = [255; 3];

    fn is_near(found: f64, expected: f64, by: f64) -> bool {
        (found - expected).abs() < by
    }

    #[test]
    fn contrast_is_what_the_guidelines_say() {
        assert!(is_near(contrast(BLACK, WHITE), 21.0, 0.01));
        assert!(is_near(contrast(WHITE, WHITE), 1.0, 0.01));
        // The grey that the guidelines' own examples call the lightest on white.
        assert!(is_near(contrast([0x76; 3], WHITE), 4.54, 0.01));
    }

    #[test]
    fn a_background_is_light_if_the_eye_says_so() {
        for (colour, light) in [
            (WHITE, true),
            ([0xfd, 0xf6, 0xe3], true),
            ([0x80; 3], true),
            ([0x2e, 0x34, 0x40], false),
            ([0x60; 3], false),
        ] {
            assert_eq!(is_light(colour), light, "{colour:?}");
        }
    }

    #[test]
    fn red_and_green_are_near_for_the_commonest_eyes_alone() {
        let (green, red) = ([0x87, 0xd7, 0x87], [0xff, 0x87, 0x87]);
        let [protan, deutan, tritan] = Eyes::ALL.map(|eyes| distance(green, red, eyes));
        assert!(is_near(deutan, 6.0, 0.1), "{deutan}");
        assert!(protan > 30.0 && tritan > 80.0, "{protan} {tritan}");
    }

    #[test]
    fn nothing_is_as_far_apart_as_black_and_white() {
        for eyes in Eyes::ALL {
            assert!(is_near(distance(BLACK, WHITE, eyes), 100.0, 1.0));
            assert!(is_near(distance(WHITE, WHITE, eyes), 0.0, 0.01));
        }
    }
}
