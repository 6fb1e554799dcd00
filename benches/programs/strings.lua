-- What a script that answers people does with text, without patterns.
local function describe(number, name)
    local line = 'row ' .. number .. ': ' .. name:upper() .. ' (' .. #name .. ')'
    if line:sub(1, 3) ~= 'row' then error('not a row') end
    return line:lower() .. string.rep('-', number - 10 * math.floor(number / 10)) .. line:byte(5)
end

function handle()
    local lines, names = {}, { 'apple', 'pear', 'quince', 'medlar' }
    local length = 0
    for round = 1, 12 do
        for i = 1, 1000 do
            lines[i] = describe(i, names[i - 4 * math.floor(i / 4) + 1])
        end
        local text = table.concat(lines, '\n')
        length = length + #text + #string.format('%5d %-10s %s', round, 'total', tostring(length))
    end
    return length
end
