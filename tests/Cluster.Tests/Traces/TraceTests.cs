using System.Text;
using System.Text.Json;

namespace Herd.Cluster.Tests.Traces;

/// <summary>
/// A turn's trace across real processes, as an operator's collector receives it, and its id in their logs.
/// </summary>
public sealed class TraceTests(TraceScene scene) : IClassFixture<TraceScene>
{
    private const string Canary = "canary-51c7d2";

    /// <summary>The trace of the caller, a W3C traceparent header.</summary>
    private const string CallersTrace = "0af7651916cd43dd8448eb211c80319c";

    private const string CallersSpan = "b7ad6b7169203331";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Turns_OfAClientWithATrace_AreATreeInItWithTheirStepsInOrder()
    {
        await Ask($"{Canary} one");

        var spans = await scene.Collector.Until(
            all => OfCaller(all).Any(span => span.Name == "decode")
                && OfCaller(all).Any(span => Hex(span.ParentSpanId) == CallersSpan),
            Cancellation);

        var trace = OfCaller(spans).ToList();
        var byId = trace.ToDictionary(span => Hex(span.SpanId));
        Assert.Equal(
            [
                "chat tiny < POST",
                "decode < session",
                "generate < chat tiny",
                "prefill < session",
                "prompt < session",
                "queue < session",
                "route < chat tiny",
                "session < generate",
                "wait < chat tiny",
            ],
            trace.Where(span => byId.ContainsKey(Hex(span.ParentSpanId)))
                .Select(span => $"{span.Name} < {byId[Hex(span.ParentSpanId)].Name.Split(' ') switch { ["POST", ..] =>
                    "POST", var name => string.Join(' ', name) }}")
                .Order(StringComparer.Ordinal));
        Assert.True(trace.All(span => span.Start <= span.End));
        var steps = new[] { "wait", "route", "prompt", "queue", "prefill", "decode" }
            .Select(name => trace.Single(span => span.Name == name))
            .ToList();
        Assert.Equal(steps.OrderBy(span => span.Start).Select(span => span.Name), steps.Select(span => span.Name));
        var turn = byId.Values.Single(span => span.Name == "chat tiny").Attributes
            .ToDictionary(pair => pair.Key, pair => pair.Value);
        Assert.Equal(("chat", "tiny", 6), (turn["gen_ai.operation.name"].Text,
            turn["gen_ai.request.model"].Text,
            turn["gen_ai.usage.output_tokens"].Number));
        Assert.StartsWith("node-", turn["herd.node"].Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Turn_ThatGoesOnElsewhere_TellsBothNodesAndTheLogTellsItsTrace()
    {
        var conversation = await scene.New();
        var killed = "";
        var turn = await scene.Say(
            conversation.ConversationId, $"{Canary} two", maxTokens: 1500, onDelta: async (_, _) =>
            {
                if (killed.Length == 0)
                {
                    killed = (await scene.Read(conversation.ConversationId)).Home;
                    await scene.Kill(killed);
                }
            });

        bool IsOfTurn(Span span) =>
            span.Attributes.Any(attribute => attribute.Key == "herd.turn.id" && attribute.Value.Text == turn.TurnId);
        var spans = await scene.Collector.Until(
            all => all.Any(span => span.Name == "chat tiny" && IsOfTurn(span)), Cancellation);
        var trace = spans.Single(span => span.Name == "chat tiny" && IsOfTurn(span)).TraceId;
        var attempts = spans.Where(span => span.TraceId == trace && span.Name == "generate")
            .OrderBy(span => span.Start)
            .ToList();
        Assert.Equal(
            [killed, turn.Node],
            attempts.Select(span => span.Attributes.Single(attribute => attribute.Key == "herd.node").Value.Text));
        Assert.Contains(attempts[0].Attributes, attribute => attribute.Key is "error.type" or "herd.left");

        var failure = File.ReadLines(Path.Combine(scene.Home, "logs", "gateway-1.log"))
            .Where(line => line.StartsWith('{'))
            .Select(line => JsonDocument.Parse(line).RootElement)
            .Single(line => line.GetProperty("EventId").GetInt32() is 500 or 501);
        Assert.Contains(Hex(trace), failure.GetProperty("Scopes").ToString(), StringComparison.Ordinal);
        Assert.All(
            scene.Collector.Raw,
            bytes => Assert.DoesNotContain(Canary, Encoding.Latin1.GetString(bytes), StringComparison.Ordinal));
        await scene.Restore();
    }

    private async Task Ask(string text)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{scene.Http}/v1/chat/completions")
        {
            Content = new StringContent($$"""{"model":"tiny","max_tokens":6,"temperature":0,"messages":"""
                + $$"""[{"role":"user","content":"{{text}}"}]}"""),
            Headers = { { "traceparent", $"00-{CallersTrace}-{CallersSpan}-01" } },
        };
        using var response = await http.SendAsync(request, Cancellation);
        response.EnsureSuccessStatusCode();
    }

    private static IEnumerable<Span> OfCaller(IEnumerable<Span> spans) =>
        spans.Where(span => Hex(span.TraceId) == CallersTrace);

    private static string Hex(Google.Protobuf.ByteString id) => Convert.ToHexStringLower(id.Span);
}
