//! Which room names which: never one above, and never in a circle.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::house::House;
use super::mentions::What;

/// A room that names another.
struct Arrow<'a> {
    from: &'a str,
    to: &'a str,
    /// File and line.
    at: String,
    /// The whole path.
    path: String,
}

/// Every import of a room that is on a higher floor, or on none.
pub(crate) fn upwards(house: &House, floors: &[&[&str]]) -> Vec<String> {
    let floor = |room: &str| floors.iter().position(|rooms| rooms.contains(&room));
    let fault = |Arrow { from, to, at, path }: &Arrow| match (floor(from), floor(to)) {
        (Some(here), Some(there)) if there <= here => None,
        (Some(_), Some(_)) => Some(format!("{at}: `{from}` is below `{to}`, and names `{path}`")),
        (None, _) => Some(format!("{at}: `{from}` is on no floor yet: add it to `FLOORS` and to CONTRIBUTING.md")),
        (_, None) => Some(format!("{at}: `{path}` is in no room: `{to}` is on no floor")),
    };
    arrows(house).iter().filter_map(fault).collect()
}

/// Every circle of rooms, with a place for each of its arrows.
pub(crate) fn circles(house: &House) -> Vec<String> {
    let mut first = BTreeMap::new();
    for arrow in arrows(house) {
        first.entry((arrow.from, arrow.to)).or_insert(arrow);
    }
    let rooms: BTreeSet<&str> = first.keys().map(|(from, _)| *from).collect();
    let circles: BTreeSet<Vec<&str>> = rooms.iter().filter_map(|room| circle(room, first.keys())).collect();
    circles.iter().map(|circle| told(circle, &first)).collect()
}

/// `model -> error -> model`, and where each of them names the next.
fn told(circle: &[&str], first: &BTreeMap<(&str, &str), Arrow>) -> String {
    let arrows = circle.windows(2).map(|pair| &first[&(pair[0], pair[1])]);
    let places = arrows.map(|Arrow { to, at, path, .. }| format!("\n  {at}: to `{to}` by `{path}`"));
    circle.join(" -> ") + &places.collect::<String>()
}

/// The shortest way from a room back to it, told from the first of its rooms in the alphabet.
fn circle<'a>(room: &'a str, arrows: impl Iterator<Item = &'a (&'a str, &'a str)> + Clone) -> Option<Vec<&'a str>> {
    let mut ways = VecDeque::from([vec![room]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        let here = way[way.len() - 1];
        for (_, to) in arrows.clone().filter(|(from, _)| *from == here) {
            if *to == room {
                return Some(from_the_first(way));
            }
            if seen.insert(*to) {
                ways.push_back([&way[..], &[*to]].concat());
            }
        }
    }
    None
}

fn from_the_first(mut way: Vec<&str>) -> Vec<&str> {
    let first = (0..way.len()).min_by_key(|at| way[*at]).unwrap_or_default();
    way.rotate_left(first);
    way.push(way[0]);
    way
}

fn arrows(house: &House) -> Vec<Arrow<'_>> {
    let mut arrows = Vec::new();
    for file in house.files.iter().filter(|file| !file.room.is_empty()) {
        for mention in &file.mentions {
            let (What::Path(path) | What::Import { path, .. } | What::Glob(path)) = &mention.what else { continue };
            let [root, to, ..] = &path[..] else { continue };
            if root == "crate" && *to != file.room {
                arrows.push(Arrow { from: &file.room, to, at: file.at(mention.line), path: path.join("::") });
            }
        }
    }
    arrows
}
