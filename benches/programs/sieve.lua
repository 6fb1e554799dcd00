-- A list read and written by index.
local function primes_below(limit)
    local composite, count = {}, 0
    for i = 1, limit do composite[i] = false end
    for i = 2, limit - 1 do
        if not composite[i] then
            count = count + 1
            for multiple = i * i, limit - 1, i do composite[multiple] = true end
        end
    end
    return count
end

function handle()
    local count = 0
    for _ = 1, 4 do count = primes_below(40000) end
    return count
end
