//! What Envoy has not been told: counted each time, and told once for the whole proxy.

use pointsman::exchange::Misfit;
use pointsman::metrics::of_misfit;
use pointsman::observed::Store;

use crate::host::SharedData;
use crate::meter;

/// Names of what has been told begin with this, and with the number of their layout.
const PREFIX: &str = "pointsman.misfit.1.";

/// A request is refused for this.
pub(crate) fn tell(misfit: Misfit) {
    of_misfit(misfit.kind(), &mut meter::count);
    let name = format!("{PREFIX}{}", misfit.kind());
    if SharedData.load(&name).is_some() {
        return;
    }
    let mut is_first = false;
    SharedData.change(&name, &mut |old| {
        is_first = old.is_empty();
        vec![1]
    });
    if is_first {
        let (cause, cure) = (misfit.cause(), misfit.cure());
        log::error!("misconfigured, requests are refused: {cause}; {cure}");
    }
}
