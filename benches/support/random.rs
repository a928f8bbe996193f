//! Random numbers with a fixed seed: the same on every machine and with every version of a library.

/// xorshift64*: small, fast, and good enough to draw a corpus.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// Starts from a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// From 0 to `bound`, without it.
    pub fn below(&mut self, bound: usize) -> usize {
        let wide = u128::from(self.next()) * u128::try_from(bound).unwrap();
        usize::try_from(wide >> 64).unwrap()
    }

    /// From `low` to `high`, both included.
    pub fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high - low + 1)
    }

    /// True so many times in a hundred.
    pub fn percent(&mut self, share: usize) -> bool {
        self.below(100) < share
    }

    /// One of them.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }

    /// One by its weight.
    pub fn weighted<T: Copy>(&mut self, choices: &[(T, usize)]) -> T {
        let mut drawn = self.below(choices.iter().map(|(_, weight)| weight).sum());
        for &(choice, weight) in choices {
            if drawn < weight {
                return choice;
            }
            drawn -= weight;
        }
        unreachable!("less than the sum was drawn")
    }

    /// A count of at least 1 with this mean, geometric, cut at `most`.
    pub fn count(&mut self, mean: f64, most: usize) -> usize {
        let mut count = 1;
        while count < most && self.unit() > 1.0 / mean {
            count += 1;
        }
        count
    }

    /// From 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Who asks how often: place `n` with a weight of `1 / n`, or all alike.
#[derive(Debug, Clone)]
pub struct Draw(Vec<f64>);

impl Draw {
    /// Zipf with exponent 1.
    pub fn zipf(length: usize) -> Self {
        Self::weighing(length, |place| 1.0 / place)
    }

    /// Uniform.
    pub fn uniform(length: usize) -> Self {
        Self::weighing(length, |_| 1.0)
    }

    fn weighing(length: usize, weight: impl Fn(f64) -> f64) -> Self {
        let mut sum = 0.0;
        let places = 1..=u32::try_from(length).unwrap();
        let sums = places.map(|place| {
            sum += weight(f64::from(place));
            sum
        });
        Self(sums.collect())
    }

    /// One place. Neighbours in rank are spread over the whole, so that rank is not memory order.
    pub fn draw(&self, random: &mut Random) -> usize {
        let length = self.0.len();
        let point = random.unit() * self.0[length - 1];
        let rank = self.0.partition_point(|sum| *sum <= point).min(length - 1);
        rank.wrapping_mul(SPREAD) % length
    }
}

/// A prime, so that it spreads any length that is no multiple of it.
const SPREAD: usize = 7_368_787;
