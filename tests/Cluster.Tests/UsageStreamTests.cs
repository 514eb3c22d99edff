using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Herd.V1;
using static Herd.Cluster.Tests.TwoTinyGateways;

namespace Herd.Cluster.Tests;

/// <summary>Streams over HTTP are in the ledger as they say.</summary>
[Collection(nameof(TwoTinyGateways))]
public sealed class UsageStreamTests(TwoTinyGateways cluster)
{
    private const string Prompt = "\"prompt\":\"Tell me a story.\"";
    private const string Messages = "\"messages\":[{\"role\":\"user\",\"content\":\"Tell me a story.\"}]";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>
    /// Each row: a path, the fields of the body without its bound of tokens, that bound's name, and the names of the
    /// tokens of prompt and answer in the stream.
    /// </summary>
    public static TheoryData<string, string, string, string, string> Streams => new()
    {
        { "/v1/chat/completions", Messages + Included, "max_tokens", "prompt_tokens", "completion_tokens" },
        { "/v1/completions", Prompt + Included, "max_tokens", "prompt_tokens", "completion_tokens" },
        {
            "/v1/responses", "\"input\":\"Tell me a story.\",\"store\":false", "max_output_tokens", "input_tokens",
            "output_tokens"
        },
        { "/v1/messages", Messages, "max_tokens", "input_tokens+cache_read_input_tokens", "output_tokens" },
        { "/api/chat", Messages, "num_predict", "prompt_eval_count", "eval_count" },
        { "/api/generate", Prompt, "num_predict", "prompt_eval_count", "eval_count" },
    };

    private const string Included = ",\"stream_options\":{\"include_usage\":true}";

    [Theory]
    [MemberData(nameof(Streams))]
    public async Task Stream_ReadToItsEnd_IsInTheLedgerAsItSays(
        string path, string fields, string bound, string prompt, string completion)
    {
        var before = await Turns();

        using var response = await Ask(path, fields, bound, 16);
        var text = await response.Content.ReadAsStringAsync(Cancellation);

        var turn = Assert.Single((await Turns()).Without(before));
        Assert.Equal(UsageState.Completed, turn.State);
        Assert.Equal(
            (Last(text, prompt), Last(text, completion)), (turn.Usage.PromptTokens, turn.Usage.CompletionTokens));
    }

    private async Task<HttpResponseMessage> Ask(string path, string fields, string bound, int tokens)
    {
        var settings = path.StartsWith("/api", StringComparison.Ordinal)
            ? $"\"options\":{{\"{bound}\":{tokens}}}"
            : $"\"{bound}\":{tokens}";
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, cluster.Http + path)
        {
            Content = new StringContent(
                $$"""{"model":"tiny","stream":true,{{settings}},{{fields}}}""",
                Encoding.UTF8,
                new MediaTypeHeaderValue("application/json")),
            Headers = { Authorization = new("Bearer", Alice) },
        };
        var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
        Assert.True(response.IsSuccessStatusCode);
        return response;
    }

    private Task<IReadOnlyList<TurnUsage>> Turns() => cluster.At(1).UsedTurns(As(Alice));

    /// <summary>The sum of the last values of fields in the events of a stream.</summary>
    private static long Last(string stream, string fields) => fields.Split('+').Sum(field => stream.Split('\n')
        .Select(line => line.StartsWith("data: ", StringComparison.Ordinal) ? line[6..] : line)
        .Where(line => line.StartsWith('{'))
        .SelectMany(line => Values(JsonDocument.Parse(line).RootElement, field))
        .Last());

    private static IEnumerable<long> Values(JsonElement element, string field) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(property =>
            property.NameEquals(field) && property.Value.ValueKind == JsonValueKind.Number
                ? [property.Value.GetInt64()]
                : Values(property.Value, field)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(item => Values(item, field)),
        _ => [],
    };
}
