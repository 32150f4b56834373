//! Columns that line up.

/// Spaces between columns.
const PADDING: usize = 2;

/// Lines of cells. The last cell of a line is never padded; a column is as wide as its widest cell within a run of
/// neighbouring lines that have the column.
///
/// Source: Go's `text/tabwriter` with minimum width 0, padding 2 and spaces, as the existing tools use it. Escape
/// sequences of colours take no room.
#[derive(Clone, Debug, Default)]
pub struct Table {
    lines: Vec<Vec<String>>,
}

impl Table {
    /// Returns an empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a line.
    pub fn line<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.lines.push(cells.into_iter().map(Into::into).collect());
    }

    /// Returns the lines, each ended by a line feed.
    pub fn render(&self) -> String {
        let mut out = String::new();
        let columns = self.lines.iter().map(Vec::len).max().unwrap_or_default();
        let widths: Vec<Vec<usize>> = (0..columns).map(|column| self.widths(column)).collect();
        for (row, cells) in self.lines.iter().enumerate() {
            for (column, cell) in cells.iter().enumerate() {
                out.push_str(cell);
                if column + 1 < cells.len() {
                    let gap = widths[column][row].saturating_sub(width(cell));
                    out.extend(std::iter::repeat_n(' ', gap));
                }
            }
            out.push('\n');
        }
        out
    }

    /// Returns for each line how wide its cell of `column` is with padding.
    fn widths(&self, column: usize) -> Vec<usize> {
        let mut widths = vec![0; self.lines.len()];
        let mut start = 0;
        while start < self.lines.len() {
            let run = self.lines[start..].iter().take_while(|cells| cells.len() > column + 1).count();
            let lines = &self.lines[start..start + run];
            let widest = lines.iter().map(|cells| width(&cells[column])).max().unwrap_or_default();
            widths[start..start + run].fill(widest + PADDING);
            start += run.max(1);
        }
        widths
    }
}

/// Returns how many characters of `text` show.
fn width(text: &str) -> usize {
    let mut escaped = false;
    text.chars()
        .filter(|&character| {
            let shows = !escaped && character != '\u{1b}';
            escaped = (escaped || character == '\u{1b}') && character != 'm';
            shows
        })
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_within_a_run_of_lines() {
        let mut table = Table::new();
        table.line(["A", "B", "C"]);
        table.line(["long", "\u{1b}[31m✔\u{1b}[0m x", ""]);
        table.line(["title"]);
        table.line(["x", "y"]);
        assert_eq!(table.render(), "A     B    C\nlong  \u{1b}[31m✔\u{1b}[0m x  \ntitle\nx  y\n");
    }

    #[test]
    fn an_empty_column_still_pads() {
        let mut table = Table::new();
        table.line(["a", "", "b"]);
        assert_eq!(table.render(), "a    b\n");
    }
}
