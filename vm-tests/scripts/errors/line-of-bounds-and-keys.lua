-- expect: false	line-of-bounds-and-keys.lua:17: 'for' limit must be a number
-- expect: false	line-of-bounds-and-keys.lua:23: 'for' initial value must be a number
-- expect: false	line-of-bounds-and-keys.lua:35: 'for' step must be a number
-- expect: false	line-of-bounds-and-keys.lua:40: attempt to index a nil value (field 'missing')
-- expect: false	line-of-bounds-and-keys.lua:49: table index is nil
-- expect: false	line-of-bounds-and-keys.lua:60: table index is nil
-- expect: false	line-of-bounds-and-keys.lua:68: table index is nil
-- expect: false	line-of-bounds-and-keys.lua:77: table index is NaN
local t, key, nan = {}, "k", 0 / 0

local function try(f)
    print(pcall(f))
end

try(function()
    for i = 1,
        t.missing do
    end
end)
try(function()
    for i =
        t,
        2 do
        for j = 1, 2 do
        end
    end
end)
try(function()
    for i = 1,
        #(function()
            for j = 1, 2 do end
            return {}
        end)(),
        t
    do
    end
end)
try(function()
    for i = t.missing
        .x, 2
    do
    end
end)
try(function()
    local all = {
        [1] = 1,
        [key] = 2,
        [t.other] =
            3,
        [t.missing] = 4,
    }
end)
try(function()
    try(
        1,
        {
            [key] = 1,
            name = "x",
            [t.missing] =
                2,
        }
    )
end)
try(function()
    t[
        t.missing
    ] =
        1
end)
try(function()
    t[key] = {
        1,
        [1] = 2,
    }
    t[
        nan
    ] = 3
end)
