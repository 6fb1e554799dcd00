-- expect: false	line-in-repeat.lua:13: here
-- expect: false	line-in-repeat.lua:20: bad argument #1 to 'tostring' (value expected)
-- expect: false	line-in-repeat.lua:27: bad argument #1 to 'tostring' (value expected)
-- expect: false	line-in-repeat.lua:32: returned
-- expect: false	line-in-repeat.lua:43: inner
-- expect: false	line-in-repeat.lua:53: after
-- expect: 3
-- expect-error: line-in-repeat.lua:72: last
print(pcall(function()
    local n = 0
    repeat
        n = n + 1
        if n == 2 then error("here") end
    until n > 3
end))
print(pcall(function()
    local t = {}
    repeat
        local x = 1
        t.x = tostring()
        x = 2
    until x
end))
print(pcall(function()
    repeat
        local x = 1
    until tostring()
end))
print(pcall(function()
    repeat
        local x = 1
        return (error("returned"))
    until x
end))
print(pcall(function()
    local n = 0
    repeat
        repeat
            n = n + 1
        until n > 3
        repeat
            local function f() return n end
            error("inner")
        until f()
    until true
end))
print(pcall(function()
    repeat
        if true then
            local x = 1
        end

        error("after")
    until true
end))
local rounds, kept = 0, {}
repeat
    local round = rounds + 1
    rounds = round
    kept[#kept + 1] = function()
        return round
    end
    if round == 5 then
        break
    end
until kept[#kept]() == 3
print(rounds)
repeat
    local function f()
        return 1
    end
    error("last")
until f()
