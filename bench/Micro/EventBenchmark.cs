using System.Net.ServerSentEvents;
using BenchmarkDotNet.Attributes;
using Herd.Gateway.Hosting;
using Herd.Gateway.OpenAi;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Herd.Micro;

/// <summary>
/// A stream of chunks of a chat completion, written by the gateway and by ASP.NET Core's result of server-sent events.
/// Each event is flushed. The numbers are per event (docs/decisions/server-sent-events.md).
/// </summary>
[MemoryDiagnoser]
public class EventBenchmark
{
    private const int Events = 10_000;

    private WebApplication _app = null!;
    private ChatCompletion _chunk = null!;

    [GlobalSetup]
    public void Setup()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddApiDocument();
        _app = builder.Build();
        _chunk = new CompletionShape("chatcmpl-0123456789abcdef", 1, "model", hasLogProbs: false)
            .Chunk(0, new Gateway.Answers.AnswerPart(Text: " token"), 0, []);
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Events)]
    public async Task Gateway()
    {
        var stream = new EventStream(Context());
        for (var i = 0; i < Events; i++)
        {
            await stream.Write(_chunk);
        }
    }

    [Benchmark(OperationsPerInvoke = Events)]
    public Task AspNetCore() => TypedResults.ServerSentEvents(Items()).ExecuteAsync(Context());

    /// <summary>The library takes one type for all events of a stream. Chunks, errors and [DONE] need object.</summary>
    [Benchmark(OperationsPerInvoke = Events)]
    public Task AspNetCoreOfObjects() => TypedResults.ServerSentEvents(Objects()).ExecuteAsync(Context());

    private async IAsyncEnumerable<SseItem<ChatCompletion>> Items()
    {
        await Task.CompletedTask;
        for (var i = 0; i < Events; i++)
        {
            yield return new SseItem<ChatCompletion>(_chunk);
        }
    }

    private async IAsyncEnumerable<SseItem<object>> Objects()
    {
        await Task.CompletedTask;
        for (var i = 0; i < Events; i++)
        {
            yield return new SseItem<object>(_chunk);
        }
    }

    private DefaultHttpContext Context() => new()
    {
        RequestServices = _app.Services, Response = { Body = Stream.Null },
    };
}
