//! What the demo's owner knows and does on their own computer: the answers, and the script.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use goop2::peer::SITE_DIR;
use goop2::store::{QueryLimits, ReadOnly, SqlValue};
use serde_json::{Map, Value};

use super::super::failure::CommandResult;

/// How long reading the answers may take.
const READ_TIMEOUT: Duration = Duration::from_secs(5);

/// The quiz and its right answers, from the owner's database, where the template put them.
pub(super) struct QuizKey {
    pub(super) quiz_id: String,
    right: Vec<(String, String)>,
}

impl QuizKey {
    pub(super) fn read(dir: &Path) -> CommandResult<Self> {
        let sql = "SELECT quiz_id, question_id, answer FROM quiz_answers ORDER BY quiz_id, question_id";
        let limits = QueryLimits::until(Instant::now() + READ_TIMEOUT);
        let rows = ReadOnly::open(dir).query(sql, &[], &limits)?.rows;
        let mut key: Option<Self> = None;
        for row in rows {
            let [SqlValue::Text(quiz), SqlValue::Text(question), SqlValue::Text(answer)] = row.as_slice()
            else {
                return Err(anyhow!("the template's answers are no texts").into());
            };
            let key = key.get_or_insert_with(|| Self { quiz_id: quiz.clone(), right: Vec::new() });
            if key.quiz_id == *quiz {
                key.right.push((question.clone(), answer.clone()));
            }
        }
        key.ok_or_else(|| anyhow!("the template has no answers").into())
    }

    /// How many questions there are.
    pub(super) fn total(&self) -> usize {
        self.right.len()
    }

    /// All right.
    pub(super) fn all_right(&self) -> Value {
        self.answers(self.total())
    }

    /// So many right that it is no pass at 0.7 and one at 0.5.
    pub(super) fn mostly_wrong(&self) -> Value {
        self.answers(self.right_of_mostly_wrong())
    }

    /// How many of [`QuizKey::mostly_wrong`] are right: three of five.
    pub(super) fn right_of_mostly_wrong(&self) -> usize {
        (self.total() * 3).div_ceil(5)
    }

    fn answers(&self, count: usize) -> Value {
        let answers = self.right.iter().take(count);
        let answers: Map<_, _> = answers.map(|(id, answer)| (id.clone(), answer.clone().into())).collect();
        answers.into()
    }
}

/// The script that scores the quiz.
pub(super) fn score_script(dir: &Path) -> PathBuf {
    dir.join(SITE_DIR).join("lua").join("score-quiz.lua")
}

/// The script while its owner works on it.
pub(super) struct Editor {
    path: PathBuf,
    original: String,
}

impl Editor {
    pub(super) fn open(dir: &Path) -> CommandResult<Self> {
        let path = score_script(dir);
        let original = std::fs::read_to_string(&path)?;
        Ok(Self { path, original })
    }

    /// The original with `old` replaced, which has to occur once, and the line it is on.
    pub(super) fn replaced(&self, old: &str, new: &str) -> CommandResult<(String, usize)> {
        match self.original.split(old).collect::<Vec<_>>().as_slice() {
            [before, after] => Ok((format!("{before}{new}{after}"), before.matches('\n').count() + 1)),
            _ => Err(anyhow!("{} should hold {old:?} once", self.path.display()).into()),
        }
    }

    /// Saves as editors do, by a new file in the old one's place, so that half a file is never read.
    pub(super) fn save(&self, text: &str) -> CommandResult {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::Builder::new().prefix(".save-").tempfile_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.persist(&self.path)?;
        Ok(())
    }

    pub(super) fn restore(&self) -> CommandResult {
        self.save(&self.original)
    }
}
