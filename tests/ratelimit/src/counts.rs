//! Counters in Redis: those of one request are counted together, in one script, or not at all.

use redis::aio::MultiplexedConnection;
use redis::{RedisResult, Script};

/// Arguments for each key: hits, the most there may be, and seconds to live; then 1 if what is
/// over is counted as well. Gives 1 or 0 for whether nothing is over, then what each has.
const COUNT: &str = r"
    local values, within, all = {}, 1, tonumber(ARGV[3 * #KEYS + 1])
    for i, key in ipairs(KEYS) do
        local hits, most = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1])
        values[i] = tonumber(redis.call('get', key) or '0')
        if hits > 0 and values[i] + hits > most then within = 0 end
    end
    for i, key in ipairs(KEYS) do
        if within + all > 0 then
            values[i] = math.max(0, values[i] + tonumber(ARGV[3 * i - 2]))
            redis.call('set', key, string.format('%.0f', values[i]), 'EX', ARGV[3 * i])
        end
    end
    table.insert(values, 1, within)
    return values";

/// One counter that a request changes.
pub struct Change {
    pub key: String,
    pub hits: i64,
    pub most: u64,
    pub seconds: u64,
}

/// The counters.
pub struct Counts {
    connection: MultiplexedConnection,
    script: Script,
}

impl Counts {
    /// Connects to Redis.
    pub async fn open(url: &str) -> RedisResult<Counts> {
        let client = redis::Client::open(url)?;
        Ok(Counts {
            connection: client.get_multiplexed_async_connection().await?,
            script: Script::new(COUNT),
        })
    }

    /// Whether no counter is over, and what each has now. Where one is over, all are counted or
    /// none is, by `counts_refused`.
    pub async fn change(
        &self,
        changes: impl ExactSizeIterator<Item = &Change>,
        counts_refused: bool,
    ) -> RedisResult<(bool, Vec<u64>)> {
        if changes.len() == 0 {
            return Ok((true, Vec::new()));
        }
        let mut call = self.script.prepare_invoke();
        for change in changes {
            call.key(&change.key);
            call.arg(change.hits).arg(change.most).arg(change.seconds);
        }
        call.arg(u8::from(counts_refused));
        let mut connection = self.connection.clone();
        let mut values: Vec<u64> = call.invoke_async(&mut connection).await?;
        let is_within = values.first() == Some(&1);
        Ok((is_within, values.drain(1..).collect()))
    }
}
