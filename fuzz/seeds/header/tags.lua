--- Score a quiz
---   submission
--- @rate_limit 5
function call() end
