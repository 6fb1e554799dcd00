//! Who may add rows to a table, and whose rows a visitor sees.

use std::fmt;

/// A table's insert policy, as kept in `_tables.insert_policy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Policy {
    /// Only the host adds rows; everyone reads them.
    Owner,
    /// Peers with an e-mail in their presence add rows; each reads their own.
    Email,
    /// Anyone adds rows; each reads their own.
    Open,
    /// Anyone adds rows; everyone reads all.
    Public,
}

impl Policy {
    /// Reads a policy's name. An unknown one means [`Policy::Owner`]: a table is never more open
    /// than its owner asked for because of a name that a later version invented.
    pub fn from_name(name: &str) -> Self {
        match name {
            "email" => Self::Email,
            "open" => Self::Open,
            "public" => Self::Public,
            _ => Self::Owner,
        }
    }

    /// The policy's name in `_tables` and on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Email => "email",
            Self::Open => "open",
            Self::Public => "public",
        }
    }

    /// Whether a visitor may add rows; `has_email` says whether their presence holds an e-mail.
    pub fn visitor_may_insert(self, has_email: bool) -> bool {
        match self {
            Self::Owner => false,
            Self::Email => has_email,
            Self::Open | Self::Public => true,
        }
    }

    /// Whether a visitor reads every row (`true`) or only their own (`false`).
    pub fn visitor_reads_all(self) -> bool {
        matches!(self, Self::Owner | Self::Public)
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_policy_is_the_closed_one() {
        assert_eq!(Policy::from_name("everyone"), Policy::Owner);
        assert_eq!(Policy::from_name("PUBLIC"), Policy::Owner);
        for policy in [Policy::Owner, Policy::Email, Policy::Open, Policy::Public] {
            assert_eq!(Policy::from_name(policy.name()), policy);
        }
    }
}
