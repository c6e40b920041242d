//! The 32-bit color of the type tag `r`.

/// A color, type tag `r`: red, green, blue and alpha, one byte each, in wire order (OSC 1.0).
///
/// ```
/// use tokio_osc::packet::Color;
/// use tokio_osc::Message;
///
/// let orange = Color { red: 255, green: 128, blue: 0, alpha: 255 };
/// let message = Message::new("/lamp", orange)?;
/// assert_eq!(message.parse::<Color>()?, orange);
/// assert_eq!(message.to_string(), "/lamp ,r #ff8000ff");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[expect(missing_docs, reason = "the four fields say it all")]
pub struct Color {
    pub red: u8,
    pub green: u8,
    pub blue: u8,
    pub alpha: u8,
}

impl From<[u8; 4]> for Color {
    fn from([red, green, blue, alpha]: [u8; 4]) -> Self {
        Self { red, green, blue, alpha }
    }
}

impl From<Color> for [u8; 4] {
    fn from(color: Color) -> Self {
        [color.red, color.green, color.blue, color.alpha]
    }
}
