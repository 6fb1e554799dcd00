-- A list of records in an order that the script defines.
function handle()
    local seed, records = 42, {}
    for round = 1, 3 do
        for i = 1, 2000 do
            seed = (seed * 1103 + 12345) % 65537
            records[i] = { score = seed, place = i }
        end
        table.sort(records, function(a, b)
            if a.score ~= b.score then return a.score > b.score end
            return a.place < b.place
        end)
    end
    return records[1].score .. ' ' .. records[1000].score .. ' ' .. records[2000].score
end
