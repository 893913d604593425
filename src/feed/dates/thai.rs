//! Thai dates: months whose names hold dots and marks, and years of the Buddhist era.

/// The months, in full and short.
const MONTHS: [(&str, &str, &str); 12] = [
    ("มกราคม", "ม.ค.", "jan"),
    ("กุมภาพันธ์", "ก.พ.", "feb"),
    ("มีนาคม", "มี.ค.", "mar"),
    ("เมษายน", "เม.ย.", "apr"),
    ("พฤษภาคม", "พ.ค.", "may"),
    ("มิถุนายน", "มิ.ย.", "jun"),
    ("กรกฎาคม", "ก.ค.", "jul"),
    ("สิงหาคม", "ส.ค.", "aug"),
    ("กันยายน", "ก.ย.", "sep"),
    ("ตุลาคม", "ต.ค.", "oct"),
    ("พฤศจิกายน", "พ.ย.", "nov"),
    ("ธันวาคม", "ธ.ค.", "dec"),
];

/// The same date with an English month and a year of our era; `None` when it names no Thai
/// month.
pub(super) fn in_english(text: &str) -> Option<String> {
    let is_thai = |c: char| ('\u{e00}'..='\u{e7f}').contains(&c);
    if !text.contains(is_thai) {
        return None;
    }
    let found = MONTHS.iter().find_map(|(full, short, english)| {
        let (before, after) = text.split_once(full).or_else(|| text.split_once(short))?;
        Some(format!("{before} {english} {after}"))
    })?;
    // Weekdays and words such as `น.`, of the clock, say nothing more.
    let plain: String = found.chars().filter(|c| !is_thai(*c)).collect();
    let words = plain.split_whitespace().map(|word| match word.parse() {
        Ok(year @ 2443..=2743) => (year - 543_i32).to_string(),
        _ => word.trim_matches('.').to_owned(),
    });
    Some(words.collect::<Vec<_>>().join(" "))
}
