using System.ComponentModel;
using Herd.Client;
using Microsoft.Extensions.AI;

namespace Herd.Cluster.Tests;

/// <summary>Herd's own client, as an IChatClient.</summary>
[Collection(nameof(RealCluster))]
public sealed class HerdClientTests(RealCluster cluster) : IDisposable
{
    private const string Model = "smollm2-135m-instruct";

    private static readonly ChatOptions Options = new() { Temperature = 0, MaxOutputTokens = 48 };

    private readonly HerdClient _client = new($"http://127.0.0.1:{cluster.GrpcPort}");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _client.Dispose();

    [Fact]
    public async Task GetResponse_CallerKeepsTheHistory_SticksAndCaches()
    {
        var chat = _client.AsChatClient(Model);
        List<ChatMessage> history = [new(ChatRole.User, "What is the capital of France?")];
        var first = await chat.GetResponseAsync(history, Options, Cancellation);
        history.AddMessages(first);
        history.Add(new ChatMessage(ChatRole.User, "And of Italy?"));

        var second = await chat.GetResponseAsync(history, Options, Cancellation);

        Assert.Contains("Paris", first.Text, StringComparison.Ordinal);
        Assert.Contains("Rome", second.Text, StringComparison.Ordinal);
        Assert.Equal(ChatFinishReason.Stop, second.FinishReason);
        Assert.True(second.Usage!.CachedInputTokenCount >= first.Usage!.TotalTokenCount - 1);
    }

    [Fact]
    public async Task GetStreamingResponse_DurableConversation_IsKeptByTheCluster()
    {
        var chat = _client.AsChatClient(Model);
        var options = Options.Clone();
        options.ConversationId = await _client.CreateConversationAsync(
            Model, "You are a helpful assistant.", Cancellation);
        await chat.GetResponseAsync("What is the capital of France?", options, Cancellation);

        var updates = await chat.GetStreamingResponseAsync("And of Italy?", options, Cancellation)
            .ToListAsync(Cancellation);

        Assert.Contains("Rome", string.Concat(updates.Select(update => update.Text)), StringComparison.Ordinal);
        Assert.All(updates, update => Assert.Equal(options.ConversationId, update.ConversationId));
    }

    [Fact]
    public async Task GetResponse_Function_IsInvoked()
    {
        var asked = new List<string>();
        using var chat = new ChatClientBuilder(_client.AsChatClient(Model)).UseFunctionInvocation().Build();
        var options = Options.Clone();
        options.Tools = [Weather(asked)];
        options.ToolMode = ChatToolMode.RequireSpecific("weather");

        var response = await chat.GetResponseAsync("How is the weather in Rome?", options, Cancellation);

        Assert.Single(asked);
        Assert.Contains(response.Messages, message => message.Contents.OfType<FunctionResultContent>().Any());
    }

    /// <summary>
    /// The cluster stores the history, tool calls and results included. The client sends only new messages.
    /// </summary>
    [Fact]
    public async Task GetResponse_FunctionInADurableConversation_IsInvokedAndRemembered()
    {
        var asked = new List<string>();
        using var chat = new ChatClientBuilder(_client.AsChatClient(Model)).UseFunctionInvocation().Build();
        var options = Options.Clone();
        options.ConversationId = await _client.CreateConversationAsync(Model, null, Cancellation);
        options.Tools = [Weather(asked)];
        options.ToolMode = ChatToolMode.RequireSpecific("weather");

        var response = await chat.GetResponseAsync("How is the weather in Rome?", options, Cancellation);

        Assert.Single(asked);
        Assert.DoesNotContain("<tool_call>", response.Text, StringComparison.Ordinal);
        var stored = await cluster.Read(options.ConversationId);
        Assert.Equal(
            [(Herd.V1.Role.User, "How is the weather in Rome?"), (Herd.V1.Role.Tool, "sunny")],
            stored.Turns.Select(turn => (turn.Input.Single().Role, turn.Input.Single().Text.Trim('"'))));
        Assert.Contains("weather", stored.Turns[0].Answer, StringComparison.Ordinal);
        Assert.True(stored.Turns[1].Usage.CachedTokens > 0);
    }

    /// <summary>A function that records its arguments.</summary>
    private static AIFunction Weather(List<string> asked) => AIFunctionFactory.Create(
        [Description("Tells the weather of a city.")]
        (City city) =>
        {
            asked.Add(city.ToString());
            return "sunny";
        },
        "weather");

    [Fact]
    public async Task GetResponse_Schema_IsKept()
    {
        var response = await _client.AsChatClient(Model)
            .GetResponseAsync<Named>("Name a city.", Options, cancellationToken: Cancellation);

        Assert.True(response.TryGetResult(out var named));
        Assert.Equal(City.Rome, named.City);
    }

    private enum City
    {
        Rome,
    }

    private sealed record Named(City City);
}
