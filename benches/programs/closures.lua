-- Functions made at run time, with variables of their own, called through each other.
local function counter(start)
    local count = start
    return function(step)
        count = count + step
        return count
    end
end

local function compose(f, g)
    return function(x) return f(g(x)) end
end

function handle()
    local total = 0
    for i = 1, 3000 do
        local count = counter(i)
        local twice = compose(count, count)
        for j = 1, 10 do total = total + twice(j) end
        total = total - 1000003 * math.floor(total / 1000003)
    end
    return total
end
