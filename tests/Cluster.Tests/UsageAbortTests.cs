using System.Net.Http.Headers;
using System.Text;
using Herd.V1;

namespace Herd.Cluster.Tests;

/// <summary>A client leaves a stream over HTTP in mid-answer. The real model takes seconds for its answers.</summary>
[Collection(nameof(RealCluster))]
public sealed class UsageAbortTests(RealCluster cluster)
{
    private const int Bound = 1500;
    private const string Messages = "\"messages\":[{\"role\":\"user\",\"content\":\"Tell me a long story.\"}]";
    private const string Prompt = "\"prompt\":\"Tell me a long story.\"";
    private const string Endless = ",\"max_tokens\":1500,\"ignore_eos\":true";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>The turn is named, with its prompt and what was computed of its answer.</summary>
    [Theory]
    [InlineData("/v1/chat/completions", Messages + Endless)]
    [InlineData("/v1/completions", Prompt + Endless)]
    [InlineData("/v1/responses", "\"input\":\"Tell me a long story.\",\"max_output_tokens\":1500")]
    [InlineData("/v1/messages", Messages + ",\"max_tokens\":1500")]
    [InlineData("/api/chat", Messages + ",\"options\":{\"num_predict\":1500}")]
    [InlineData("/api/generate", Prompt + ",\"options\":{\"num_predict\":1500}")]
    public async Task Stream_LeftInMidAnswer_IsInTheLedgerWithWhatWasComputed(string path, string fields)
    {
        var before = await cluster.Conversations.UsedTurns();

        await AskAndLeave(path, fields);

        var turn = await Poll.Until(
            async () => (await cluster.Conversations.UsedTurns()).Without(before).SingleOrDefault(),
            turn => turn is { State: not UsageState.Running });
        Assert.Equal(UsageState.Aborted, turn!.State);
        Assert.NotEqual(0, turn.Usage.PromptTokens);
        Assert.InRange(turn.Usage.CompletionTokens, 1, Bound - 1);
    }

    /// <summary>Reads the first event that has a token of the answer, then closes the connection.</summary>
    private async Task AskAndLeave(string path, string fields)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, cluster.Http + path)
        {
            Content = new StringContent(
                $$"""{"model":"smollm2-135m-instruct","stream":true,{{fields}}}""",
                Encoding.UTF8,
                new MediaTypeHeaderValue("application/json")),
        };
        using var response =
            await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
        Assert.True(response.IsSuccessStatusCode);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Cancellation));
        for (var line = 0; line < 24; line++)
        {
            Assert.NotNull(await reader.ReadLineAsync(Cancellation));
        }
    }
}
