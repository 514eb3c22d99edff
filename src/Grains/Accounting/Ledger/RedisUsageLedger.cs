using System.Globalization;
using Herd.Contracts.Conversations;
using Herd.Grains.Conversations.Storage;
using StackExchange.Redis;

namespace Herd.Grains.Accounting.Ledger;

/// <summary>
/// The ledger in Redis or Garnet: a hash for each day, with a field for each turn and one for each sum.
/// docs/stored-state.md, docs/decisions/usage-ledger.md.
/// </summary>
internal sealed class RedisUsageLedger(StoreConnection store) : IUsageLedger
{
    /// <summary>The beginning of the key of a day.</summary>
    public const string Days = "herd:usage:";

    /// <summary>Records of one script. Its HSET has at most two fields for each, and Lua's stack holds 8,000.</summary>
    private const int MaxRecords = 400;

    private const int Page = 1000;

    /// <summary>
    /// Key: the day. Arguments of each record: turn, account, state, prompt, cached and completion tokens, and the last
    /// three of before. Returns the name of each changed sum and what was added to its four numbers.
    /// </summary>
    /// <remarks>
    /// A completed record replaces others; otherwise the larger numbers count, and of the cached tokens the smaller
    /// one: so any order of records has the same result. All fields are written by one HSET, because Garnet logs a
    /// script's commands one by one, and a server that is killed must have all of them or none.
    /// </remarks>
    private const string WriteScript = """
        local sums, order, fields, names = {}, {}, {}, nil
        local function add(name, turns, prompt, cached, completion)
          local sum = sums[name]
          if not sum then
            sum = {0, 0, 0, 0}
            sums[name] = sum
            order[#order + 1] = name
          end
          for i, more in ipairs({turns, prompt, cached, completion}) do sum[i] = sum[i] + more end
        end
        local function whole(number) return string.format('%.0f', number) end
        local known = {}
        for i = 1, #ARGV, 9 do
          local turn, account, state = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
          local prompt, cached, completion = tonumber(ARGV[i + 3]), tonumber(ARGV[i + 4]), tonumber(ARGV[i + 5])
          local kept = known[turn] or redis.call('HGET', KEYS[1], 'turn:' .. turn)
          local was, p, c, n = 0, tonumber(ARGV[i + 6]), tonumber(ARGV[i + 7]), tonumber(ARGV[i + 8])
          if kept then
            was, p, c, n, account = string.match(kept, '^(%d+) (%d+) (%d+) (%d+) (.*)$')
            was, p, c, n = tonumber(was), tonumber(p), tonumber(c), tonumber(n)
          end
          local isNew = not kept and p == 0 and n == 0
          if was == 3 and state ~= 3 then
            state, prompt, cached, completion = was, p, c, n
          elseif (state == 3) == (was == 3) then
            if p > 0 and prompt > 0 then cached = math.min(c, cached) else cached = math.max(c, cached) end
            state, prompt, completion = math.max(state, was), math.max(prompt, p), math.max(completion, n)
          end
          local numbers = {state, whole(prompt), whole(cached), whole(completion), account}
          local text = table.concat(numbers, ' ')
          if text ~= kept then
            known[turn] = text
            if kept and was ~= state then
              add(was .. '|' .. account, -1, -p, -c, -n)
              add(state .. '|' .. account, 1, prompt, cached, completion)
            else
              add(state .. '|' .. account, (isNew and 1) or 0, prompt - p, cached - c, completion - n)
            end
          end
        end
        for turn, text in pairs(known) do
          fields[#fields + 1] = 'turn:' .. turn
          fields[#fields + 1] = text
        end
        local added = {}
        for _, name in ipairs(order) do
          local kept = redis.call('HGET', KEYS[1], 'sum:' .. name)
          local more, sum = sums[name], {0, 0, 0, 0}
          if kept then
            local i = 1
            for number in string.gmatch(kept, '%S+') do
              sum[i] = tonumber(number)
              i = i + 1
            end
          else
            names = (names or redis.call('HGET', KEYS[1], 'names') or '') .. name .. '\n'
          end
          added[#added + 1] = name
          for i = 1, 4 do
            sum[i] = whole(sum[i] + more[i])
            added[#added + 1] = whole(more[i])
          end
          fields[#fields + 1] = 'sum:' .. name
          fields[#fields + 1] = table.concat(sum, ' ')
        end
        if names then
          fields[#fields + 1] = 'names'
          fields[#fields + 1] = names
        end
        if #fields > 0 then redis.call('HSET', KEYS[1], unpack(fields)) end
        return added
        """;

    private IDatabase Database => store.Database;

    public async Task<IReadOnlyList<UsageSum>> Write(IReadOnlyList<UsageRecord> records)
    {
        var added = new List<UsageSum>();
        foreach (var day in records.GroupBy(record => record.Day))
        {
            foreach (var chunk in day.Chunk(MaxRecords))
            {
                var result = await Database.ScriptEvaluateAsync(
                    WriteScript,
                    [Key(day.Key)],
                    [.. chunk.SelectMany(Arguments)],
                    CommandFlags.DemandMaster | CommandFlags.NoScriptCache);
                added.AddRange(((string[])result!).Chunk(5).Select(row => Sum(day.Key, row[0], row[1..])));
            }
        }

        await store.Replicated();
        return added;
    }

    public async Task<IReadOnlyList<UsageSum>> Read(DateOnly day)
    {
        var names = ((string?)await Database.HashGetAsync(Key(day), "names") ?? "")
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var sums = await Database.HashGetAsync(Key(day), [.. names.Select(name => (RedisValue)$"sum:{name}")]);
        return [.. names.Select((name, i) => Sum(day, name, sums[i].ToString().Split(' ')))];
    }

    public async IAsyncEnumerable<UsageRecord> ReadTurns(DateOnly day, string tenant, string? conversation)
    {
        var pattern = $"turn:{Escape(tenant)}/{(conversation is null ? "" : Escape($"{conversation}/"))}*";
        await foreach (var field in Database.HashScanAsync(Key(day), pattern, Page))
        {
            var parts = field.Value.ToString().Split(' ');
            var account = parts[4].Split('|');
            yield return new UsageRecord
            {
                Turn = Uri.UnescapeDataString(field.Name.ToString().Split('/', 2)[1]),
                Tenant = tenant,
                Key = Uri.UnescapeDataString(account[1]),
                Model = Uri.UnescapeDataString(account[2]),
                Day = day,
                State = (UsageState)Number(parts[0]),
                Usage = new Usage(Number(parts[1]), Number(parts[3]), Number(parts[2])),
            };
        }
    }

    public async Task Prune(DateOnly day)
    {
        var fields = new List<RedisValue>();
        await foreach (var field in Database.HashScanAsync(Key(day), "turn:*", Page))
        {
            fields.Add(field.Name);
        }

        foreach (var chunk in fields.Chunk(Page))
        {
            await Database.HashDeleteAsync(Key(day), chunk);
        }
    }

    private static RedisValue[] Arguments(UsageRecord record)
    {
        var before = record.Before ?? new Usage(0, 0, 0);
        return
        [
            $"{Escape(record.Tenant)}/{Escape(record.Turn)}",
            $"{Escape(record.Tenant)}|{Escape(record.Key)}|{Escape(record.Model)}",
            (int)record.State,
            record.Usage.PromptTokens, record.Usage.CachedTokens, record.Usage.CompletionTokens,
            before.PromptTokens, before.CachedTokens, before.CompletionTokens,
        ];
    }

    /// <param name="day">The day.</param>
    /// <param name="name">The name of the sum: state, tenant, key and model.</param>
    /// <param name="numbers">Turns, prompt, cached and completion tokens.</param>
    private static UsageSum Sum(DateOnly day, string name, string[] numbers)
    {
        var parts = name.Split('|');
        var counts = numbers.Select(number => long.Parse(number, CultureInfo.InvariantCulture)).ToList();
        return new UsageSum(
            day,
            Uri.UnescapeDataString(parts[1]),
            Uri.UnescapeDataString(parts[2]),
            Uri.UnescapeDataString(parts[3]),
            (UsageState)Number(parts[0]),
            counts[0],
            counts[1],
            counts[2],
            counts[3]);
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static string Escape(string text) => Uri.EscapeDataString(text);

    private static RedisKey Key(DateOnly day) => Days + UsageDay.ToText(day);
}
