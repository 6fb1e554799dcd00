-- expect-error: named-index-uncaught.lua:5: attempt to index a nil value (field 'answer')
local quiz = {}
local a = 1

local function score() return quiz.answer.text end
score()
