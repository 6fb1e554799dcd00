-- Patterns as scripts use them: fields of a line, words, and a substitution of each kind.
local function parse(text)
    local values = 0
    for key, value in text:gmatch('(%w+)=(%w+)') do
        values = values + #key + #value
    end
    return values
end

function handle()
    local line = 'id=17; name=quince; colour=yellow; weight=204g; origin=garden '
    local text = line:rep(20)
    local total = 0
    for _ = 1, 25 do
        total = total + parse(text)
        total = total + #text:gsub('%s+', ' ')
        total = total + #text:gsub('(%w+)=(%w+)', '%2=%1')
        total = total + #text:gsub('%a+', function(word) return word:upper() end)
        total = total + #text:gsub('%a+', { name = 'label', colour = 'color' })
        total = total + text:find('origin=%a+', 600) + #text:match('weight=(%d+)g')
    end
    return total
end
