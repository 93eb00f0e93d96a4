use super::*;

fn sketch(durations: &[u64]) -> Sketch {
    let mut sketch = Sketch::default();
    durations.iter().for_each(|ms| sketch.add(*ms));
    sketch
}

#[test]
fn buckets_have_no_gaps_and_no_overlaps() {
    for bucket in 0..BUCKETS - 1 {
        assert_eq!(bucket_of(lowest_of(bucket)), bucket);
        assert_eq!(bucket_of(lowest_of(bucket + 1) - 1), bucket);
    }
    assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
    assert_eq!(bucket_of(0), 0);
}

#[test]
fn nothing_known_is_no_figure() {
    assert_eq!(Sketch::default().quantile(0.5, 1.0), None);
    assert_eq!(Sketch::default().mean(1.0), None);
    let seen = sketch(&[100]);
    assert!(seen.quantile(0.5, 1.0).is_some());
    assert_eq!(seen.quantile(0.5, 0.05), None, "it has faded");
}

#[test]
fn quantiles_are_off_by_an_eighth_at_most() {
    let spread: Vec<u64> = (0..200).map(|i| 100 + (i * 37) % 900).collect();
    let seen = sketch(&spread);
    let (median, late) = (seen.quantile(0.5, 1.0), seen.quantile(0.95, 1.0));
    let median = median.expect("known");
    assert!((400.0..700.0).contains(&median), "{median}");
    let late = late.expect("known");
    assert!((820.0..1030.0).contains(&late), "{late}");
    for ms in [1, 7, 9, 100, 1000, 59_000] {
        let only = sketch(&[ms; 30]).quantile(0.5, 1.0).expect("known");
        let error = (only - ms as f64).abs() / ms as f64;
        assert!(error <= if ms < 8 { 0.5 } else { 0.126 }, "{ms}: {only}");
    }
}

#[test]
fn sixteen_new_ones_overrule_any_number_of_old_ones() {
    let mut seen = sketch(&[100; 1000]);
    for n in 1.. {
        seen.add(2000);
        if seen.quantile(0.5, 1.0).expect("known") > 1000.0 {
            assert!((15..=17).contains(&n), "{n}");
            break;
        }
    }
    let mut seen = sketch(&[100; 1000]);
    seen.add(2000);
    assert!(
        seen.quantile(0.95, 1.0).expect("known") < 200.0,
        "one is chance"
    );
    seen.add(2000);
    assert!(
        seen.quantile(0.95, 1.0).expect("known") > 1000.0,
        "two are not"
    );
}

#[test]
fn no_number_of_observations_overflows() {
    let mut seen = Sketch::default();
    for _ in 0..100_000 {
        seen.add(u64::MAX);
    }
    let weight = seen.parts() / f32::from(ONE);
    assert!((20.0..25.0).contains(&weight), "{weight}");
    assert!(seen.mean(1.0).expect("known") > 1e6);
}
