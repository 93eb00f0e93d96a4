//! How budgets stand: who has used most of each.

use std::cmp::Reverse;
use std::fmt::Write;

use crate::budget::{self, Account};
use crate::config::{Budget, Config};
use crate::exchange::holding::account_name;
use crate::json;
use crate::observed::Store;
use crate::sorted::sort_by_key;

/// So many accounts of each budget are shown: those that have used most.
const MOST_SHOWN: usize = 20;

/// Appends a member to the page's object.
pub(super) fn write(config: &Config, store: &dyn Store, now_ms: u64, page: &mut String) {
    page.push_str(",\"budgets\":[");
    for (i, budget) in config.routing.budgets.iter().enumerate() {
        page.push_str(if i == 0 { "\n" } else { ",\n" });
        write_budget(budget, store, now_ms, page);
    }
    page.push(']');
}

fn write_budget(budget: &Budget, store: &dyn Store, now_ms: u64, page: &mut String) {
    let limit = budget.limit;
    let mut accounts = budget::accounts(store, &budget.name, limit, now_ms);
    sort_by_key(&mut accounts, |account| Reverse(account.standing.used()));
    // Writing to a text cannot fail.
    let _ = write!(
        page,
        "{{\"name\":{},\"unit\":\"{}\",\"per\":\"{}\",\"limit\":{},\"ends_in_ms\":{},\
         \"accounts\":{},\"most_used\":[",
        json::to_string(&budget.name),
        budget.unit.as_str(),
        limit.window.as_str(),
        budget.number(limit.most),
        limit.window.end(now_ms).saturating_sub(now_ms),
        accounts.len(),
    );
    for (i, account) in accounts.iter().take(MOST_SHOWN).enumerate() {
        page.push_str(if i == 0 { "" } else { "," });
        write_account(budget, account, page);
    }
    page.push_str("]}");
}

fn write_account(budget: &Budget, account: &Account, page: &mut String) {
    let Account {
        who,
        name,
        standing,
    } = account;
    let used = standing.used();
    let is_near = budget
        .downgrade
        .as_ref()
        .is_some_and(|(from, _)| used >= *from);
    let state = match is_near {
        _ if used >= budget.limit.most => "used up",
        true => "near its end",
        false => "ok",
    };
    let _ = write!(
        page,
        "{{\"account\":{},\"id\":\"{who:016x}\",\"used\":{},\"reserved\":{},\"state\":\"{state}\"}}",
        json::to_string(&account_name(*who, name)),
        budget.number(standing.settled),
        budget.number(standing.reserved),
    );
}
