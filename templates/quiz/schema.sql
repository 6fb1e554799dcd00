-- The tables of the quiz, and the first quiz to put in them.
--
-- Every table also gets the columns _id, _owner, _owner_email, _created_at and _updated_at. The host
-- fills them in: _owner is the peer that added the row, proven by its key, whatever the request says.
--
-- Who may add rows and who may read them is the table's insert policy in manifest.json:
--
--   table           policy  who adds rows       which rows a visitor reads
--   quiz_questions  owner   only you            all of them
--   quiz_answers    open    anyone              only the visitor's own: never yours
--   scores          open    anyone              only the visitor's own; leaderboard.lua shows the best
--
-- Why the answers are not `owner`: that policy says who may WRITE. Everybody may read such a table, and
-- the right answers with it. With `open` each visitor sees only rows that they added themselves, so yours
-- stay hidden. The price: a visitor can add "right answers" of their own. They count for nothing, because
-- score-quiz.lua asks for the rows that you own (`_owner = goop.self.id`) and no others.

-- `choices` is a JSON list. The first choice is A, the second B, and so on.
CREATE TABLE quiz_questions (
    quiz_id TEXT NOT NULL,
    question_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    question TEXT NOT NULL,
    choices TEXT NOT NULL
);

-- The right answer to each question: the letter of the choice.
CREATE TABLE quiz_answers (
    quiz_id TEXT NOT NULL,
    question_id TEXT NOT NULL,
    answer TEXT NOT NULL
);

-- `game_id` is the quiz's id here; the name fits any other game that you add to the same leaderboard.
-- `peer_id` and `submitted_at` are what the visitor's page says and nobody checks; what the host knows
-- for certain is in _owner and _created_at, and leaderboard.lua uses those.
CREATE TABLE scores (
    game_id TEXT NOT NULL,
    score INTEGER NOT NULL,
    nickname TEXT,
    peer_id TEXT,
    submitted_at INTEGER
);

INSERT INTO quiz_questions (quiz_id, question_id, position, question, choices) VALUES
    ('solar-system', 'q1', 1, 'On which planet is a day longer than a year?',
     '["Mercury", "Venus", "Jupiter", "Neptune"]'),
    ('solar-system', 'q2', 2, 'What is the tallest mountain known in the solar system?',
     '["Olympus Mons on Mars", "Mount Everest on Earth", "Maxwell Montes on Venus", "The Caloris Mountains on Mercury"]'),
    ('solar-system', 'q3', 3, 'Which planet would float in a bathtub, if you had one large enough?',
     '["Mars", "Uranus", "Earth", "Saturn"]'),
    ('solar-system', 'q4', 4, 'How long does sunlight take to reach the Earth?',
     '["It is there at once", "About eight seconds", "About eight minutes", "About eight hours"]'),
    ('solar-system', 'q5', 5, 'Which moon has lakes and rain, though not of water?',
     '["Europa", "Titan", "Phobos", "Our own Moon"]');

INSERT INTO quiz_answers (quiz_id, question_id, answer) VALUES
    ('solar-system', 'q1', 'B'),
    ('solar-system', 'q2', 'A'),
    ('solar-system', 'q3', 'D'),
    ('solar-system', 'q4', 'C'),
    ('solar-system', 'q5', 'B');
