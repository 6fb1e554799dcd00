--- Score a quiz submission
--
-- This runs on your computer, not in the visitor's browser: the visitor sends answers and gets a score
-- back, and the right answers never leave your database.

-- The share of right answers that passes. Make it easier: change the number, save, submit again.
-- There is nothing to restart.
local PASS_SHARE = 0.7

-- `!score-quiz` in the chat comes here.
function handle(args)
    return "This is a data function. Visit my site to take the quiz."
end

-- goopData.call("score-quiz", {quiz_id = "…", answers = {q1 = "B", …}}) in app.js comes here.
function call(request)
    local params = request.params or {}
    local quiz_id, answers = params.quiz_id, params.answers

    -- A visitor can send anything. What error() says is what they read.
    if type(quiz_id) ~= "string" then error("quiz_id required") end
    if type(answers) ~= "table" then error("answers required") end

    -- The ? are filled in by the database, so no text of a visitor can become part of the SQL.
    -- `_owner` makes sure that only the answers that you wrote count (schema.sql says why).
    local correct = goop.db.query(
        "SELECT question_id, answer FROM quiz_answers WHERE quiz_id = ? AND _owner = ?",
        quiz_id, goop.self.id
    )
    if #correct == 0 then error("no such quiz") end

    local score = 0
    for _, row in ipairs(correct) do
        if answers[row.question_id] == row.answer then
            score = score + 1
        end
    end

    return {
        score = score,
        total = #correct,
        passed = score / #correct >= PASS_SHARE
    }
end
