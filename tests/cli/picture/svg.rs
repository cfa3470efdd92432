//! A film of a terminal as SVG: rows that appear, in CSS. Without motion it is its last picture.

use std::fmt::Write;

use vt100::Color;

use super::screen::{COLUMNS, PLAIN, Row, Run, Style};

/// Rows of the window.
const ROWS: usize = 24;
const SIZE: f64 = 14.0;
const COLUMN: f64 = 8.4;
/// Of characters that take two columns.
const WIDE: f64 = 16.0;
const LINE: f64 = 20.0;
const EDGE: f64 = 18.0;
const BAR: f64 = 36.0;

const KEY: f64 = 0.055;
const PAUSE: f64 = 0.8;
const PRINT: f64 = 0.42;
const AT_END: f64 = 6.0;

const BACKGROUND: u32 = 0x0d1117;
const TEXT: u32 = 0xe6edf3;
const DIM: u32 = 0x939ca6;
const PALETTE: [u32; 16] = [
    0x6e7681, 0xff7b72, 0x3fb950, 0xd29922, 0x58a6ff, 0xbc8cff, 0x39c5cf, 0xb1bac4, //
    0x8b949e, 0xffa198, 0x56d364, 0xe3b341, 0x79c0ff, 0xd2a8ff, 0x56d4dd, 0xffffff,
];

/// A row, and when it is shown; for a command, when its last key is typed.
struct Shown {
    row: Row,
    at: f64,
    typed: Option<f64>,
}

#[derive(Default)]
pub struct Film {
    rows: Vec<Shown>,
    now: f64,
}

impl Film {
    /// A prompt, and keys; first the Ctrl-C that ends the command before.
    pub fn types(&mut self, command: &str) {
        let run = |column, columns, text: &str, style| Run { column, columns, text: text.to_owned(), style };
        if !self.rows.is_empty() {
            self.shows(vec![run(0, 2, "^C", PLAIN)]);
        }
        let prompt = Style { color: Color::Idx(10), bold: true, ..PLAIN };
        let columns = u16::try_from(command.len()).unwrap();
        let row = vec![run(0, 1, "$", prompt), run(2, columns, command, Style { bold: true, ..PLAIN })];
        let typed = self.now + PAUSE + f64::from(columns) * KEY;
        self.rows.push(Shown { row, at: self.now, typed: Some(typed) });
        self.now = typed + PAUSE;
    }

    pub fn shows(&mut self, row: Row) {
        self.rows.push(Shown { row, at: self.now, typed: None });
        self.now += PRINT;
    }

    pub fn finish(self) -> String {
        let (width, height) = (2.0 * EDGE + f64::from(COLUMNS) * COLUMN, BAR + LINE * ROWS as f64 + EDGE);
        let length = self.now + AT_END;
        let percent = |at: f64| format!("{:.2}%", at / length * 100.0);
        let hidden = self.rows.len().saturating_sub(ROWS);
        let mut css = format!(
            "text{{font:{SIZE}px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace;white-space:pre}}\n\
             .b{{font-weight:700}}.w{{font-size:{WIDE}px}}.k{{opacity:0}}#s{{transform:translateY({}px)}}\n",
            -(LINE * hidden as f64)
        );
        let mut motion =
            format!("#s,.r,.k{{animation:{length:.2}s step-end infinite}}#s{{animation-name:s}}\n");
        let mut frames = String::new();
        let mut scroll = "0%{transform:none}".to_owned();
        let mut drawing = String::new();
        for (index, Shown { row, at, typed }) in self.rows.iter().enumerate() {
            let y = LINE * index as f64;
            if *at > 0.0 {
                let _ =
                    writeln!(frames, "@keyframes r{index}{{0%{{opacity:0}}{}{{opacity:1}}}}", percent(*at));
                let _ = writeln!(motion, "#r{index}{{animation-name:r{index}}}");
            }
            if index >= ROWS {
                let _ = write!(
                    scroll,
                    "{}{{transform:translateY({}px)}}",
                    percent(*at),
                    -(LINE * (index + 1 - ROWS) as f64)
                );
            }
            let _ = writeln!(drawing, "<g class=\"r\" id=\"r{index}\">");
            for run in row {
                text(&mut drawing, y, run);
            }
            if let Some(typed) = typed {
                cover(&mut drawing, y, index, &row[1]);
                let (keys, columns) = (row[1].columns, f64::from(row[1].columns) * COLUMN);
                let _ = writeln!(
                    frames,
                    "@keyframes k{index}{{0%{{opacity:1;transform:none}}{}{{opacity:1;transform:none;animation-timing-function:steps({keys})}}\
                     {}{{opacity:1;transform:translateX({columns:.1}px)}}{}{{opacity:0;transform:translateX({columns:.1}px)}}}}",
                    percent(at + PAUSE),
                    percent(*typed),
                    percent(typed + PAUSE),
                );
                let _ = writeln!(motion, "#k{index}{{animation-name:k{index}}}");
            }
            drawing += "</g>\n";
        }
        let _ = writeln!(frames, "@keyframes s{{{scroll}}}");
        let _ = write!(css, "{frames}@media (prefers-reduced-motion:no-preference){{\n{motion}}}\n");
        let screen =
            format!("<rect x=\"0\" y=\"0\" width=\"{width}\" height=\"{}\"/>", LINE * ROWS as f64 + 4.0);
        let dots: String = [("#ff5f57", 20), ("#febc2e", 40), ("#28c840", 60)]
            .map(|(color, x)| format!("<circle cx=\"{x}\" cy=\"18\" r=\"6\" fill=\"{color}\"/>"))
            .concat();
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\">\n\
             <title>stern-rs on a terminal</title>\n<style>\n{css}</style>\n\
             <rect x=\".5\" y=\".5\" width=\"{}\" height=\"{}\" rx=\"10\" fill=\"{}\" stroke=\"#30363d\"/>\n\
             {dots}\n<text x=\"{}\" y=\"23\" text-anchor=\"middle\" fill=\"{}\">shop — stern-rs</text>\n\
             <clipPath id=\"c\">{screen}</clipPath>\n\
             <g transform=\"translate(0 {BAR})\" clip-path=\"url(#c)\"><g id=\"s\">\n{drawing}</g></g>\n</svg>\n",
            width - 1.0,
            height - 1.0,
            hex(BACKGROUND),
            width / 2.0,
            hex(DIM),
        )
    }
}

fn text(out: &mut String, y: f64, Run { column, columns, text, style }: &Run) {
    let is_wide = text.chars().count() * 2 == usize::from(*columns);
    let class = match (style.bold, is_wide) {
        (false, false) => "",
        (true, false) => " class=\"b\"",
        (false, true) => " class=\"w\"",
        (true, true) => " class=\"b w\"",
    };
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(
        out,
        "<text x=\"{:.1}\" y=\"{:.1}\" textLength=\"{:.1}\"{class} fill=\"{}\">{text}</text>",
        EDGE + f64::from(*column) * COLUMN,
        y + SIZE,
        f64::from(*columns) * COLUMN,
        hex(color(*style)),
    );
}

/// Lies over a command, with the cursor at its left edge, and goes away as it is typed.
fn cover(out: &mut String, y: f64, index: usize, command: &Run) {
    let x = EDGE + f64::from(command.column) * COLUMN;
    let width = (f64::from(command.columns) + 1.0) * COLUMN;
    let rect = |width: f64, color| {
        format!(
            "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{LINE}\" fill=\"{}\"/>",
            y - 1.0,
            hex(color)
        )
    };
    let _ =
        writeln!(out, "<g class=\"k\" id=\"k{index}\">{}{}</g>", rect(width, BACKGROUND), rect(COLUMN, TEXT));
}

fn color(style: Style) -> u32 {
    match style.color {
        Color::Default if style.dim => DIM,
        Color::Default => TEXT,
        Color::Idx(index) => PALETTE[usize::from(index)],
        Color::Rgb(..) => panic!("the program uses the colours of the terminal"),
    }
}

fn hex(color: u32) -> String {
    format!("#{color:06x}")
}

/// As WCAG 2 defines it.
fn contrast(a: u32, b: u32) -> f64 {
    let luminance = |color: u32| {
        let part = |shift: u32| {
            let value = f64::from(color >> shift & 0xff) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(16) + 0.7152 * part(8) + 0.0722 * part(0)
    };
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn every_color_of_the_picture_can_be_read() {
    // Black is for backgrounds.
    for color in [TEXT, DIM].iter().chain(&PALETTE[1..]) {
        let contrast = contrast(*color, BACKGROUND);
        assert!(contrast >= 4.5, "{}: {contrast:.2}", hex(*color));
    }
}
