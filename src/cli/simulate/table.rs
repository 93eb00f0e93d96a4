//! Tables whose columns stand in line.

use std::io::{self, Write};

/// Rows of cells; the first ones are names and stand left, the others right.
pub(super) struct Table {
    names: usize,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(names: usize, head: &[&str]) -> Table {
        let head = head.iter().map(|cell| (*cell).to_owned()).collect();
        Table {
            names,
            rows: vec![head],
        }
    }

    pub(super) fn push(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let cells = |column: usize| self.rows.iter().filter_map(move |row| row.get(column));
        let widest = |column| {
            cells(column)
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(widest).collect();
        for row in &self.rows {
            let mut line = String::from(" ");
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                line.push(' ');
                line.push_str(&match column < self.names {
                    true => format!("{cell:width$} "),
                    false => format!("{cell:>width$} "),
                });
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// `2,000,000`
pub(super) fn whole(number: u128) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 request`, `2,000 requests`.
pub(super) fn counted(number: u128, of: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {of}{plural}", whole(number))
}

/// Nano-USD as USD with two decimals, four where it is less than one: `3,400.00`.
pub(super) fn usd(nano: u128) -> String {
    let one = 1_000_000_000;
    let decimals = if nano > 0 && nano < one { 4 } else { 2 };
    let unit = one / 10_u128.pow(decimals);
    let parts = (nano + unit / 2) / unit;
    let scale = 10_u128.pow(decimals);
    let width = decimals as usize;
    format!("{}.{:0width$}", whole(parts / scale), parts % scale)
}

/// `1.2M`, `812k`: three digits or so.
pub(super) fn short(number: u128) -> String {
    let scaled = |unit: u128, name: &str| {
        let tenths = (number + unit / 20) / (unit / 10);
        match tenths {
            0..1_000 => format!("{}.{}{name}", tenths / 10, tenths % 10),
            _ => format!("{}{name}", whole(tenths / 10)),
        }
    };
    match number {
        0..1_000 => number.to_string(),
        1_000..1_000_000 => scaled(1_000, "k"),
        1_000_000..1_000_000_000 => scaled(1_000_000, "M"),
        _ => scaled(1_000_000_000, "G"),
    }
}

/// Share of a whole in percent: `70.1 %`.
pub(super) fn percent(part: u128, all: u128) -> String {
    let tenths = (part * 1000 + all / 2).checked_div(all).unwrap_or(0);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::{percent, short, usd, whole};

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(whole(0), "0");
        assert_eq!(whole(1_234_567), "1,234,567");
        assert_eq!(usd(3_400_000_000_000), "3,400.00");
        assert_eq!(usd(1_234_499), "0.0012");
        assert_eq!(usd(0), "0.00");
        assert_eq!(usd(999_999_999), "1.0000");
        assert_eq!(short(999), "999");
        assert_eq!(short(1_250), "1.3k");
        assert_eq!(short(1_600_000_000), "1.6G");
        assert_eq!(percent(1, 3), "33.3 %");
        assert_eq!(percent(1, 0), "0.0 %");
    }
}
