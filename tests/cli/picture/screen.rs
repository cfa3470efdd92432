//! What a terminal makes of the bytes of a program: rows of text in colours.

use vt100::{Cell, Color, Parser};

/// The columns of the window.
pub const COLUMNS: u16 = 106;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    pub color: Color,
    pub bold: bool,
    pub dim: bool,
}

pub const PLAIN: Style = Style { color: Color::Default, bold: false, dim: false };

/// Text of one style and one width of characters, at a column.
#[derive(Debug)]
pub struct Run {
    pub column: u16,
    pub columns: u16,
    pub text: String,
    pub style: Style,
}

pub type Row = Vec<Run>;

/// The lines that these bytes draw. They fit the window. The echo of Ctrl-C is left out, which may come too late.
pub fn rows(output: &str) -> Vec<Row> {
    let text = output.replace("^C", "");
    text.lines().map(row).collect()
}

fn row(line: &str) -> Row {
    let size = |cells: u16| cells.try_into().unwrap();
    let mut parser = Parser::new(size(2), size(COLUMNS), 0);
    parser.process(line.as_bytes());
    let screen = parser.screen();
    assert!(screen.cell(1, 0).is_none_or(|cell| !cell.has_contents()), "wider than the picture: {line}");
    let mut runs: Row = Vec::new();
    for (column, cell) in (0..COLUMNS).filter_map(|column| Some((column, screen.cell(0, column)?))) {
        if cell.is_wide_continuation() || !cell.has_contents() || cell.contents() == " " {
            continue;
        }
        let columns = if cell.is_wide() { 2 } else { 1 };
        let last = runs.last_mut().filter(|run| {
            run.column + run.columns == column && run.style == style(cell) && run.columns >= columns
        });
        let is_wide = |run: &Run| u16::try_from(run.text.chars().count()).unwrap() * 2 == run.columns;
        match last.filter(|run| is_wide(run) == cell.is_wide()) {
            Some(run) => {
                run.columns += columns;
                run.text += cell.contents();
            }
            None => runs.push(Run { column, columns, text: cell.contents().to_owned(), style: style(cell) }),
        }
    }
    runs
}

fn style(cell: &Cell) -> Style {
    assert_eq!(cell.bgcolor(), Color::Default, "the picture has no backgrounds");
    Style { color: cell.fgcolor(), bold: cell.bold(), dim: cell.dim() }
}
