//! Things in order, by one sort for all of them: the library's is compiled anew for every type.

use std::cmp::Ordering;
use std::collections::BTreeMap;

/// Sorts as `compare` tells; what is equal stays in the order it stands in.
pub fn sort_by<T>(items: &mut Vec<T>, compare: impl Fn(&T, &T) -> Ordering) {
    let order = order(items.len(), &|a, b| match (items.get(a), items.get(b)) {
        (Some(a), Some(b)) => compare(a, b),
        _ => Ordering::Equal,
    });
    let mut unsorted: Vec<Option<T>> = items.drain(..).map(Some).collect();
    let sorted = order.into_iter();
    items.extend(sorted.filter_map(|index| unsorted.get_mut(index)?.take()));
}

/// Sorts by what `key` tells of each; what is equal stays in the order it stands in.
pub fn sort_by_key<T, K: Ord>(items: &mut Vec<T>, key: impl Fn(&T) -> K) {
    sort_by(items, |a, b| key(a).cmp(&key(b)));
}

/// A map of `entries`, of which the last of a name counts. To collect it would sort them first,
/// by a sort of its own.
pub fn by_name<K: Ord, V>(entries: impl Iterator<Item = (K, V)>) -> BTreeMap<K, V> {
    let mut map = BTreeMap::new();
    map.extend(entries);
    map
}

/// The places of `count` things, in the order that `compare` tells of two places.
#[inline(never)]
fn order(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places: Vec<usize> = (0..count).collect();
    places.sort_by(|a, b| compare(*a, *b));
    places
}

#[cfg(test)]
mod tests {
    use super::sort_by_key;

    #[test]
    fn equals_stay_in_the_order_they_stand_in() {
        let mut words = vec!["signal", "rail", "point", "tie", "spike", "yard"];
        sort_by_key(&mut words, |word| word.len());
        assert_eq!(words, ["tie", "rail", "yard", "point", "spike", "signal"]);
    }
}
