--- Get the best scores of a quiz
--
-- Visitors may read only their own rows of the table `scores`. This script reads all of them on the
-- visitor's behalf and hands out the best score of each player.

-- How many players are shown. Change it, save, and reload the page.
local PLACES = 10

-- goopData.call("leaderboard", {game_id = "…"}) in app.js comes here.
function call(request)
    local game_id = (request.params or {}).game_id
    if type(game_id) ~= "string" then error("game_id required") end

    -- Everything in a row was sent by a visitor, except the columns that start with `_`: those the host
    -- wrote. So the player is `_owner` and the time is `_created_at`; and a score that the quiz can't
    -- give, such as 1000 out of 5, is left out.
    local best = goop.db.query([[
        SELECT _owner AS peer_id, substr(nickname, 1, 40) AS nickname,
               MAX(score) AS score, _created_at AS submitted_at
        FROM scores
        WHERE game_id = ? AND typeof(score) = 'integer' AND score BETWEEN 0 AND
              (SELECT COUNT(*) FROM quiz_answers WHERE quiz_id = ? AND _owner = ?)
        GROUP BY _owner
        ORDER BY MAX(score) DESC, _created_at
        LIMIT ?
    ]], game_id, game_id, goop.self.id, PLACES)

    return { game_id = game_id, leaderboard = best }
end
