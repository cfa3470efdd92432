//! The colours of the parts of a record, made once.

use crate::{
    plan::{Display, Part},
    render::color::Style,
};

/// By part.
pub struct Look([Style; PARTS]);

const PARTS: usize = Part::ALL.len();

impl Look {
    pub fn new(display: &Display) -> Look {
        let color = display.color_stdout;
        Look(Part::ALL.map(|part| match display.pretty.theme.sgr(part) {
            "" => Style::default(),
            parameters => Style::sgr_if(color, parameters),
        }))
    }

    pub fn of(&self, part: Part) -> &Style {
        &self.0[part as usize]
    }

    pub fn paint(&self, part: Part, text: &[u8], out: &mut Vec<u8>) {
        self.of(part).paint(text, out);
    }
}
