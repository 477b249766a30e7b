//! Tables of kinds of files against what else may trip: how many cases got through before, and how many after.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use maud::{Markup, html};

use super::items::{Item, Standing};
use super::parts::{Tone, tag};
use super::words;
use crate::compare::Class;
use crate::corpus::{Intent, Kind, NameClass};
use crate::report::Lang;
use crate::report::run_view::Mark;

/// The cases of a cell.
#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    /// Legitimate cases.
    of: usize,
    before: usize,
    after: usize,
    /// Regressions.
    lost: usize,
    /// Of which nothing sure can be said.
    doubtful: usize,
    /// There is no baseline.
    single: bool,
}

impl Cell {
    fn take(&mut self, item: &Item<'_>) {
        self.of += 1;
        self.before += usize::from(item.before.is_some_and(super::items::Seen::passes));
        self.after += usize::from(item.after.is_some_and(super::items::Seen::passes));
        self.single |= matches!(item.standing, Standing::Mark(_));
        let lost = matches!(
            item.standing,
            Standing::Class(Class::NewlyBlocked | Class::NewlyAltered) | Standing::Mark(Some(Mark::NotDelivered))
        );
        self.lost += usize::from(lost);
        self.doubtful += usize::from(super::parts::tone(item.standing) == Tone::Doubt);
    }

    fn tone(&self) -> Tone {
        match self {
            Self { lost: 1.., .. } => Tone::Bad,
            Self { doubtful: 1.., .. } => Tone::Doubt,
            Self { of, after, .. } if of == after => Tone::Good,
            _ => Tone::Note,
        }
    }

    /// `12→9/12`.
    fn text(&self) -> String {
        let Self { of, before, after, .. } = self;
        if self.single { format!("{after}/{of}") } else { format!("{before}→{after}/{of}") }
    }

    /// What the symbol means, for those who do not see it.
    fn words(&self, lang: Lang) -> &'static str {
        meaning(lang, self.tone(), self.single)
    }
}

/// What a cell of this tone says; `single`: there is no baseline.
fn meaning(lang: Lang, tone: Tone, single: bool) -> &'static str {
    match (tone, single) {
        (Tone::Good, _) => lang.pick("all get through", "すべて届く"),
        (Tone::Doubt, _) => lang.pick("something is in doubt", "判定できないもの、検知のみのものがある"),
        (Tone::Bad, false) => lang.pick("some no longer get through", "届かなくなるものがある"),
        (Tone::Bad, true) => lang.pick("some do not get through", "届かないものがある"),
        (Tone::Note, false) => lang.pick("some never got through", "以前から届かないものがある"),
        (Tone::Note, true) => lang.pick("some are not known", "結果のないものがある"),
    }
}

/// The cells of one table, by row and kind of file. Kinds are few, so that the table fits on a sheet of paper.
struct Grid {
    rows: Vec<(String, BTreeMap<Kind, Cell>)>,
    kinds: BTreeSet<Kind>,
}

impl Grid {
    /// `order` has the keys of the rows, and `keys` gives those of a case.
    fn new(items: &[Item<'_>], order: Vec<String>, keys: impl Fn(&Item<'_>) -> Vec<String>) -> Self {
        let mut cells: HashMap<String, BTreeMap<Kind, Cell>> = HashMap::new();
        let mut kinds = BTreeSet::new();
        for item in items.iter().filter(|item| item.intent == Intent::Legit) {
            kinds.insert(item.kind);
            for key in keys(item) {
                cells.entry(key).or_default().entry(item.kind).or_default().take(item);
            }
        }
        let rows = order.into_iter().filter_map(|key| cells.remove(&key).map(|row| (key, row))).collect();
        Self { rows, kinds }
    }

    fn markup(
        &self,
        lang: Lang,
        filter: &str,
        (head, caption): (&str, &str),
        label: impl Fn(&str) -> String,
    ) -> Markup {
        html! {
            div.wide tabindex="0" role="region" aria-label=(caption) { table.grid data-grid=(filter) {
                caption { (caption) }
                thead { tr {
                    th scope="col" { (head) }
                    @for kind in &self.kinds { th scope="col" { (words::kind(lang, *kind)) } }
                } }
                tbody { @for (key, row) in &self.rows { tr {
                    th scope="row" { (label(key)) }
                    @for kind in &self.kinds {
                        @match row.get(kind) {
                            None => td.soft { span aria-label=(lang.pick("no case", "該当なし")) role="img" { "·" } },
                            Some(cell) => td class=(cell.tone().class()) data-kind=(kind.as_str()) data-key=(key) {
                                span aria-hidden="true" { (cell.tone().symbol()) " " } (cell.text())
                                span.far { " (" (cell.words(lang)) ")" }
                            },
                        }
                    }
                } } }
            } }
        }
    }
}

/// The tables of names, sizes and clients.
pub(crate) fn grids(lang: Lang, items: &[Item<'_>]) -> Markup {
    let own = || lang.pick("its own", "ファイルの定義どおり").to_owned();
    let names = NameClass::ALL.iter().map(|class| class.as_str().to_owned()).collect();
    let by_name = Grid::new(items, names, |item| item.names.iter().map(|class| class.as_str().to_owned()).collect());
    let name_label = |key: &str| {
        let class = NameClass::ALL.iter().find(|class| class.as_str() == key);
        class.map_or_else(|| key.to_owned(), |class| words::name_class(lang, *class).to_owned())
    };
    let axis = |axis: &'static str| {
        let mut values: Vec<&str> = items.iter().filter_map(|item| item.axis(axis)).collect();
        values.sort_by_key(|value| (value.parse::<u64>().unwrap_or(u64::MAX), *value));
        values.dedup();
        let order = std::iter::once(String::new()).chain(values.into_iter().map(str::to_owned)).collect();
        Grid::new(items, order, move |item| vec![item.axis(axis).unwrap_or_default().to_owned()])
    };
    let axis_label = |key: &str| if key.is_empty() { own() } else { super::page::shown(key) };
    let single = matches!(items.first().map(|item| item.standing), Some(Standing::Mark(_)));
    html! {
        section aria-labelledby="grid" {
            h2 id="grid" { (lang.pick("Compatibility tables", "互換性一覧")) }
            @if single {
                p { (lang.pick(
                    "Each cell: cases that got through / all cases. A filename can be of several kinds. Legitimate files only.",
                    "各欄は「届いた件数/全件数」です。一つのファイル名が複数の種類に当てはまることがあります。正当なファイルのみを数えています。"
                )) }
            } @else {
                p { (lang.pick(
                    "Each cell: cases that got through before → after / all cases. A filename can be of several kinds. Legitimate files only.",
                    "各欄は「変更前に届いた件数→変更後に届く件数/全件数」です。一つのファイル名が複数の種類に当てはまることがあります。正当なファイルのみを数えています。"
                )) }
            }
            p { @for tone in [Tone::Good, Tone::Bad, Tone::Doubt, Tone::Note] { (tag(tone, meaning(lang, tone, single))) " " } }
            p.soft data-script="" hidden { (lang.pick("Choose a cell to list its cases.", "欄を選ぶと、該当するケースが一覧に表示されます。")) }
            (by_name.markup(lang, "name", lang.pick(("kind of filename", "Kind of file × kind of filename"), ("ファイル名の種類", "ファイル種別 × ファイル名の種類")), name_label))
            (axis("client").markup(lang, "client", lang.pick(("client", "Kind of file × client"), ("クライアント", "ファイル種別 × クライアント")), axis_label))
            (axis("size").markup(lang, "size", lang.pick(("size", "Kind of file × size"), ("サイズ", "ファイル種別 × サイズ")), axis_label))
        }
    }
}

/// The kinds of files alone.
pub(crate) fn kinds(lang: Lang, items: &[Item<'_>]) -> Markup {
    let mut rows: BTreeMap<Kind, (Cell, Vec<&str>)> = BTreeMap::new();
    for item in items.iter().filter(|item| item.intent == Intent::Legit) {
        let (cell, examples) = rows.entry(item.kind).or_default();
        let before = cell.lost;
        cell.take(item);
        if cell.lost > before && examples.len() < 3 && !examples.contains(&item.filename) {
            examples.push(item.filename);
        }
    }
    html! {
        div.wide tabindex="0" { table {
            caption { (lang.pick("Kinds of files", "ファイル種別")) }
            thead { tr {
                th scope="col" { (lang.pick("kind of file", "ファイル種別")) }
                th scope="col" { (lang.pick("got through before → after", "届いた件数（変更前→変更後）")) }
                th.n scope="col" { (lang.pick("no longer", "届かなくなる件数")) }
                th scope="col" { (lang.pick("for example", "該当ファイルの例")) }
            } }
            tbody { @for (kind, (cell, examples)) in &rows { tr {
                th scope="row" { (words::kind(lang, *kind)) }
                td { span class={ "tag " (cell.tone().class()) } { span aria-hidden="true" { (cell.tone().symbol()) " " } (cell.text()) } }
                td.n { (cell.lost) }
                td { @for (at, each) in examples.iter().enumerate() { @if at > 0 { (lang.pick(", ", "、")) } (super::page::name(&crate::report::text::shorten(each, 40))) } }
            } } }
        } }
    }
}
