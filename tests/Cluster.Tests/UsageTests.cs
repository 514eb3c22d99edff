using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Grpc.Core;
using Herd.V1;
using static Herd.Cluster.Tests.TwoTinyGateways;

namespace Herd.Cluster.Tests;

/// <summary>Every token that a tenant uses is in the ledger once: each interface, however the answer ends.</summary>
[Collection(nameof(TwoTinyGateways))]
public sealed class UsageTests(TwoTinyGateways cluster)
{
    private static readonly object[] Messages = [new { role = "user", content = "Tell me a story." }];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Each row: a path, a body, and the tokens that its response says.</summary>
    public static TheoryData<string, string, string, string> Interfaces => new()
    {
        { "/v1/chat/completions", "", "usage.prompt_tokens", "usage.completion_tokens" },
        { "/v1/chat/completions", "\"n\":3,", "usage.prompt_tokens", "usage.completion_tokens" },
        { "/v1/completions", "", "usage.prompt_tokens", "usage.completion_tokens" },
        { "/v1/responses", "", "usage.input_tokens", "usage.output_tokens" },
        { "/v1/responses", "\"store\":false,", "usage.input_tokens", "usage.output_tokens" },
        { "/v1/messages", "", "usage.input_tokens+usage.cache_read_input_tokens", "usage.output_tokens" },
        { "/api/chat", "\"stream\":false,", "prompt_eval_count", "eval_count" },
        { "/api/generate", "\"stream\":false,", "prompt_eval_count", "eval_count" },
        { "/v1/embeddings", "", "usage.prompt_tokens", "" },
        { "/api/embed", "", "prompt_eval_count", "" },
    };

    [Theory]
    [MemberData(nameof(Interfaces))]
    public async Task Answer_AtAnInterface_IsInTheLedgerAsItsResponseSays(
        string path, string options, string prompt, string completion)
    {
        var before = await Total();
        var fields = path switch
        {
            "/v1/completions" or "/api/generate" => """ "prompt":"Tell me a story." """,
            "/v1/responses" => """ "input":"Tell me a story.","max_output_tokens":16 """,
            "/v1/embeddings" or "/api/embed" => """ "input":["Tell me","a story."] """,
            _ => """ "messages":[{"role":"user","content":"Tell me a story."}] """,
        };
        var body = JsonDocument.Parse($$"""{"model":"tiny","max_tokens":16,{{options}}{{fields}}}""").RootElement;

        using var response = await cluster.Post(path, body);
        var said = await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation);

        Assert.True(response.IsSuccessStatusCode, said.ToString());
        var used = (await Total()) - before;
        var choices = options.Contains("\"n\"", StringComparison.Ordinal) ? 3 : 1;

        // The prompt of several choices is said once, and computed (or found in the cache) for each.
        Assert.Equal(
            (choices, choices * Read(said, prompt), Read(said, completion)),
            (used.Turns, used.Prompt, used.Completion));
    }

    [Fact]
    public async Task Answer_OverGrpcAtTwoGateways_IsInTheLedgerOnce()
    {
        var before = await Total();
        var conversation = (await cluster.At(0).CreateConversationAsync(
            new CreateConversationRequest(), As(Alice), cancellationToken: Cancellation)).Conversation.ConversationId;
        var request = new ConverseRequest
        {
            ConversationId = conversation, Text = "Tell me a story.", TurnId = "one", MaxTokens = 16,
        };

        var turns = new List<Turn>();
        for (var i = 0; i < 4; i++)
        {
            // The same turn again, at either gateway, is delivered again and not counted again.
            turns.Add(await Converse(request, i));
        }

        var usage = turns[0].Usage;
        Assert.All(turns, turn => Assert.Equal(usage, turn.Usage));
        Assert.Equal(new Tokens(1, usage.PromptTokens, usage.CompletionTokens), await Total() - before);
    }

    /// <summary>The client leaves in mid-answer. The turn is named, with what was computed for it.</summary>
    [Fact]
    public async Task Answer_Aborted_IsInTheLedgerWithWhatWasComputed()
    {
        var conversation = (await cluster.At(0).CreateConversationAsync(
            new CreateConversationRequest(), As(Alice), cancellationToken: Cancellation)).Conversation.ConversationId;
        var delivered = 0;
        using (var call = cluster.At(0).Converse(Long(conversation), As(Alice), cancellationToken: Cancellation))
        {
            while (delivered < 8 && await call.ResponseStream.MoveNext(Cancellation))
            {
                delivered += call.ResponseStream.Current.Delta?.Tokens ?? 0;
            }
        }

        var aborted = await Poll.Until(
            () => Named(conversation), turn => turn is { State: UsageState.Aborted });
        var stored = (await cluster.At(1).GetConversationAsync(
            new GetConversationRequest { ConversationId = conversation }, As(Alice), cancellationToken: Cancellation))
            .Conversation.Turns.Single();
        Assert.True(aborted!.Usage.CompletionTokens >= delivered);
        Assert.Equal((TurnState.Cancelled, aborted.Usage), (stored.State, stored.Usage));

        // Taken again, it goes on from there.
        var before = await Total();
        var turn = await Converse(Long(conversation), 1);
        Assert.Equal(
            new Tokens(0, 0, turn.Usage.CompletionTokens - aborted.Usage.CompletionTokens), await Total() - before);
        Assert.Equal(UsageState.Completed, (await Named(conversation))!.State);
    }

    [Fact]
    public async Task Usage_OverHttp_IsTheTenantsOwn()
    {
        await cluster.Json(
            "/v1/chat/completions", new { model = "tiny", max_tokens = 2, messages = Messages }, Frugal);

        var own = await Get("/herd/v1/usage", Frugal);
        var all = await Get("/herd/v1/usage", Operator);
        var one = await Get("/herd/v1/usage?tenant=frugal&turns=TURN_FILTER_ALL", Operator);

        Assert.Equal(["frugal"], Tenants(own));
        Assert.Equal(12, own.GetProperty("sums")[0].GetProperty("key").GetString()!.Length);
        Assert.Contains("frugal", Tenants(all));
        Assert.Equal(["frugal"], Tenants(one));
        Assert.NotEqual(0, one.GetProperty("turns").GetArrayLength());
        using var refused = await GetResponse("/herd/v1/usage?tenant=alice", Frugal);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        using var bad = await GetResponse("/herd/v1/usage?from=yesterday", Frugal);
        Assert.Equal(HttpStatusCode.BadRequest, bad.StatusCode);

        var printed = await cluster.Run("usage", "--tenant", "frugal");
        Assert.Equal((0, ""), (printed.ExitCode, printed.Error));
        Assert.Contains("COMPLETED", printed.Output, StringComparison.Ordinal);
        var json = await cluster.Run("usage", "--all", "--json");
        Assert.Contains("frugal", json.Output, StringComparison.Ordinal);
    }

    private static ConverseRequest Long(string conversation) => new()
    {
        ConversationId = conversation,
        Text = "Tell me a long story.",
        TurnId = "long",
        MaxTokens = 1000,
        Sampling = new Sampling { IgnoreEos = true },
    };

    private async Task<Turn> Converse(ConverseRequest request, int gateway)
    {
        Turn? turn = null;
        using var call = cluster.At(gateway).Converse(request, As(Alice), cancellationToken: Cancellation);
        await foreach (var update in call.ResponseStream.ReadAllAsync(Cancellation))
        {
            turn = update.Completed?.Turn;
        }

        return turn!;
    }

    /// <summary>What Alice used today in turns of all states.</summary>
    private async Task<Tokens> Total()
    {
        var listed = await cluster.At(0).ListUsageAsync(
            new ListUsageRequest { From = LedgerTurns.Yesterday }, As(Alice), cancellationToken: Cancellation);
        return new Tokens(
            listed.Sums.Sum(sum => sum.Turns),
            listed.Sums.Sum(sum => sum.PromptTokens),
            listed.Sums.Sum(sum => sum.CompletionTokens));
    }

    private async Task<TurnUsage?> Named(string conversation) => (await cluster.At(0).ListUsageAsync(
        new ListUsageRequest { From = LedgerTurns.Yesterday, Turns = TurnFilter.All, ConversationId = conversation },
        As(Alice),
        cancellationToken: Cancellation)).Turns.SingleOrDefault();

    private async Task<JsonElement> Get(string path, string key)
    {
        using var response = await GetResponse(path, key);
        var text = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonDocument.Parse(text).RootElement;
    }

    private async Task<HttpResponseMessage> GetResponse(string path, string key)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, cluster.Http + path)
        {
            Headers = { Authorization = new("Bearer", key) },
        };
        return await http.SendAsync(request, Cancellation);
    }

    private static IEnumerable<string> Tenants(JsonElement listed) => listed.GetProperty("sums").EnumerateArray()
        .Select(sum => sum.GetProperty("tenant").GetString()!).Distinct();

    /// <summary>The sum of numbers of a response, each named by its path.</summary>
    private static long Read(JsonElement response, string paths) => paths.Length == 0 ? 0 : paths.Split('+').Sum(
        path => path.Split('.').Aggregate(response, (at, name) => at.GetProperty(name)).GetInt64());

    private sealed record Tokens(long Turns, long Prompt, long Completion)
    {
        public static Tokens operator -(Tokens one, Tokens other) => new(
            one.Turns - other.Turns, one.Prompt - other.Prompt, one.Completion - other.Completion);
    }
}
