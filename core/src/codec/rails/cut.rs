//! Messages in JSON whose end is missing, with their members in any order: that of a `jsonb` column
//! is not that of Rails.

use crate::codec::Certainty;

/// How sure it is that what is no JSON starts like a message; nothing where it does not.
pub(super) fn certainty(bytes: &[u8]) -> Option<Certainty> {
    let mut start = Start {
        rest: bytes,
        begun: false,
        payload: false,
        sure: false,
    };
    match start.message(true) {
        _ if start.sure => Some(Certainty::Yes),
        Err(Stop::End) if start.begun => Some(Certainty::Maybe),
        _ => None,
    }
}

/// Why reading stopped.
enum Stop {
    /// The bytes ended, and fitted up to there.
    End,
    /// No message goes on like this.
    Other,
}

type Step<T = ()> = Result<T, Stop>;

struct Start<'v> {
    rest: &'v [u8],
    /// A payload or a header began.
    begun: bool,
    /// There was a payload.
    payload: bool,
    /// There was an IV or a tag.
    sure: bool,
}

impl<'v> Start<'v> {
    /// The data key of an envelope is a message in a header, and holds no further one.
    fn message(&mut self, outer: bool) -> Step {
        self.mark(b'{')?;
        loop {
            let name = self.name()?;
            self.mark(b':')?;
            match name {
                b"p" => self.payload()?,
                b"h" => self.headers(outer)?,
                _ => return Err(Stop::Other),
            }
            if !self.goes_on()? {
                return Ok(());
            }
        }
    }

    fn payload(&mut self) -> Step {
        self.mark(b'"')?;
        self.begun = true;
        self.digits()?;
        self.payload = true;
        Ok(())
    }

    fn headers(&mut self, outer: bool) -> Step {
        self.mark(b'{')?;
        loop {
            self.begun |= self.rest.trim_ascii_start().starts_with(b"\"");
            let name = self.name()?;
            self.mark(b':')?;
            match name {
                b"iv" | b"at" => self.iv_or_tag()?,
                b"k" if outer => self.message(false)?,
                _ => self.value()?,
            }
            if !self.goes_on()? {
                return Ok(());
            }
        }
    }

    fn iv_or_tag(&mut self) -> Step {
        self.mark(b'"')?;
        self.sure |= self.payload;
        let read = self.digits();
        self.sure |= !matches!(read, Err(Stop::Other));
        read
    }

    /// Base64, or one of `true`, `false` and `null`.
    fn value(&mut self) -> Step {
        if self.mark(b'"').is_ok() {
            return self.digits();
        }
        self.rest = self.rest.trim_ascii_start();
        self.take(|byte| byte.is_ascii_lowercase()).map(|_| ())
    }

    fn name(&mut self) -> Step<&'v [u8]> {
        self.mark(b'"')?;
        let name = self.take(|byte| byte.is_ascii_alphanumeric() || byte == b'_')?;
        self.mark(b'"')?;
        Ok(name)
    }

    /// Base64 and the quote after it.
    fn digits(&mut self) -> Step {
        self.take(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))?;
        self.mark(b'"')
    }

    /// Whether there is a further member.
    fn goes_on(&mut self) -> Step<bool> {
        self.mark(b',')
            .map(|()| true)
            .or_else(|_| self.mark(b'}').map(|()| false))
    }

    /// One byte after white space.
    fn mark(&mut self, mark: u8) -> Step {
        match self.rest.trim_ascii_start().split_first() {
            Some((first, rest)) if *first == mark => self.rest = rest,
            Some(_) => return Err(Stop::Other),
            None => return Err(Stop::End),
        }
        Ok(())
    }

    /// All the bytes that fit, after which there are others.
    fn take(&mut self, fits: impl Fn(u8) -> bool) -> Step<&'v [u8]> {
        let end = self.rest.iter().position(|byte| !fits(*byte));
        let (taken, rest) = self.rest.split_at(end.ok_or(Stop::End)?);
        self.rest = rest;
        Ok(taken)
    }
}
