use super::*;
use crate::failure::Class;
use crate::observed::TargetState;

struct Cooling(&'static [&'static str]);

impl Observed for Cooling {
    fn target(&self, _provider: &str, _model: &str) -> TargetState {
        TargetState::default()
    }

    fn is_warm(&self, _provider: &str, _model: &str, _prefix: u64) -> bool {
        false
    }

    fn cool_down(&self, provider: &str, _model: &str) -> Option<CoolDown> {
        self.0.contains(&provider).then_some(CoolDown {
            who: 1,
            until_ms: 1,
            class: Class::RateLimited,
        })
    }
}

fn left(cooling: &'static [&'static str]) -> (Vec<String>, usize) {
    let backends = ["a", "b", "c"].map(crate::routing::tests::backend);
    let mut candidates = backends.iter().collect();
    let aside = set_aside(&mut candidates, &Cooling(cooling));
    (
        candidates.iter().map(|c| c.provider.clone()).collect(),
        aside.len(),
    )
}

#[test]
fn who_cools_down_is_no_candidate() {
    assert_eq!(left(&["b"]), (vec!["a".into(), "c".into()], 1));
    assert_eq!(left(&[]).1, 0);
}

#[test]
fn when_all_cool_down_all_are_asked() {
    let all = ["a", "b", "c"].map(String::from).to_vec();
    assert_eq!(left(&["a", "b", "c"]), (all, 0));
}
