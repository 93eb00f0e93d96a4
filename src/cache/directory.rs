//! What lies in one set of places, and what makes room for something new.

/// Places of one set.
const WAYS: usize = 128;

/// One place: what lies there, in twenty bytes. It is free when it holds no bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Place {
    /// Hash of the request.
    pub tag: u64,
    /// When the answer is stale, in Unix seconds.
    pub until_s: u32,
    /// When it was given last, in Unix seconds.
    pub used_s: u32,
    /// Its size.
    pub bytes: u32,
}

/// The places of one set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Directory(Vec<Place>);

/// What had to go, as the numbers of places and their bytes.
pub(super) type Evicted = Vec<(usize, u32)>;

impl Directory {
    /// Reads what [`Directory::encode`] wrote; bytes of anything else are not read.
    pub fn decode(bytes: &[u8]) -> Directory {
        let places = bytes.as_chunks::<20>().0.iter().take(WAYS);
        Directory(places.map(Place::decode).collect())
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() * 20);
        self.0.iter().for_each(|place| place.encode(&mut bytes));
        bytes
    }

    /// Where this is, and what is known of it.
    pub fn find(&self, tag: u64) -> Option<(usize, Place)> {
        let mut places = self.0.iter().copied().enumerate();
        places.find(|(_, place)| place.bytes > 0 && place.tag == tag)
    }

    /// Notes that it was given.
    pub fn touch(&mut self, tag: u64, now_s: u32) {
        let mut places = self.0.iter_mut();
        if let Some(place) = places.find(|place| place.bytes > 0 && place.tag == tag) {
            place.used_s = now_s;
        }
    }

    /// Gives `new` a place; no more than `most` bytes lie in the set after it. The stale goes
    /// first, then what was not given for the longest time.
    pub fn put(&mut self, new: Place, most: u64, now_s: u32) -> (usize, Evicted) {
        let mut evicted = Evicted::new();
        let stale = |place: &Place| place.until_s <= now_s || place.tag == new.tag;
        while let Some(i) = self.0.iter().position(|p| p.bytes > 0 && stale(p)) {
            self.free(i, &mut evicted);
        }
        while self.bytes().saturating_add(u64::from(new.bytes)) > most || self.is_full() {
            let taken = self.0.iter().enumerate().filter(|(_, p)| p.bytes > 0);
            let Some((oldest, _)) = taken.min_by_key(|(_, place)| place.used_s) else {
                break;
            };
            self.free(oldest, &mut evicted);
        }
        let free = self.0.iter().position(|place| place.bytes == 0);
        let at = free.unwrap_or(self.0.len());
        match self.0.get_mut(at) {
            Some(place) => *place = new,
            None => self.0.push(new),
        }
        (at, evicted)
    }

    /// Bytes of all places together.
    pub fn bytes(&self) -> u64 {
        self.0.iter().map(|place| u64::from(place.bytes)).sum()
    }

    fn is_full(&self) -> bool {
        self.0.len() >= WAYS && self.0.iter().all(|place| place.bytes > 0)
    }

    fn free(&mut self, at: usize, evicted: &mut Evicted) {
        if let Some(place) = self.0.get_mut(at) {
            evicted.push((at, place.bytes));
            *place = Place::default();
        }
    }
}

impl Place {
    fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.tag.to_le_bytes());
        for number in [self.until_s, self.used_s, self.bytes] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
    }

    fn decode(bytes: &[u8; 20]) -> Place {
        let (tag, rest) = bytes.split_first_chunk().unwrap_or((&[0; 8], &[]));
        let mut numbers = rest
            .as_chunks::<4>()
            .0
            .iter()
            .map(|n| u32::from_le_bytes(*n));
        let mut next = || numbers.next().unwrap_or(0);
        Place {
            tag: u64::from_le_bytes(*tag),
            until_s: next(),
            used_s: next(),
            bytes: next(),
        }
    }
}
