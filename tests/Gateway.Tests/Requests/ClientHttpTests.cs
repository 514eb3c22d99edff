using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Herd.Gateway.Tests.Requests;

/// <summary>HTTP itself that clients get wrong: chunks, headers, paths and query strings, byte by byte.</summary>
public sealed class ClientHttpTests(GatewayServer server) : IClassFixture<GatewayServer>
{
    private const string Body = """{"model":"tiny","messages":[{"role":"user","content":"hi"}]}""";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string, string> Chunks
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var path in ValidRequests.All.Select(request => request.Path).Distinct())
            {
                foreach (var chunk in new[]
                {
                    "FFFFFFFF\r\n{}", "FFFFFFFFFFFFFFFF\r\n{}", "80000000\r\n{}", "-1\r\n{}", "x\r\n{}", "\r\n",
                    "2;\r\n{}X",
                })
                {
                    data.Add(path, chunk);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Chunks))]
    public async Task Send_MalformedChunk_IsRefused(string path, string chunk)
    {
        var status = await Send(
            $"POST {path} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n"
            + chunk);

        Assert.InRange(status, 400, 499);
        Assert.Empty(server.TakeFailures());
    }

    [Theory]
    [InlineData("X-Session-Id: caf\u00E9")]
    [InlineData("X-Session-Id: \u00FF\u00FE")]
    [InlineData("Last-Event-ID: http_caf\u00C3\u00A9.turn_1.1.1.1")]
    [InlineData("Last-Event-ID: http_x y.turn_1.1.1.1")]
    [InlineData("Last-Event-ID: ....")]
    [InlineData("Last-Event-ID: http_1.turn_1.99999999999999999999.1.1")]
    [InlineData("Last-Event-ID: http_1.turn_1.1.1.1.xyz")]
    [InlineData("Authorization: Bearer \u00C3\u00A9\u00C3")]
    [InlineData("x-api-key: \u0001")]
    [InlineData("Accept: ;;;")]
    [InlineData("Content-Type: application/json; charset=\"")]
    [InlineData("traceparent: 00-zz-zz-zz")]
    [InlineData("Content-Length: 99999999999999999999")]
    [InlineData("Content-Length: -1")]
    [InlineData("Expect: nonsense")]
    public async Task Send_StrangeHeader_IsServedOrRefused(string header)
    {
        foreach (var path in new[] { "/v1/chat/completions", "/v1/messages", "/api/chat", "/herd/v1/tokenize" })
        {
            var length = header.StartsWith("Content-Length", StringComparison.Ordinal)
                ? ""
                : string.Create(CultureInfo.InvariantCulture, $"Content-Length: {Body.Length}\r\n");
            var status = await Send($"POST {path} HTTP/1.1\r\nHost: h\r\n{length}{header}\r\n\r\n{Body}");

            Assert.InRange(status, 200, 499);
            Assert.True(server.TakeFailures() is [], path);
        }
    }

    public static TheoryData<string> Paths => [.. new[]
    {
        "/v1/models/%", "/v1/models/%zz", "/v1/models/%ff%fe", "/v1/models/%00", "/v1/models/%ed%a0%bd",
        "/v1/models/%2f..",
        "/v1/conversations/%ff", "/v1/conversations/conv_%ff", "/v1/conversations/x/items?order=%ff",
        "/v1/conversations/conv_00000000000000000000000000000000/items/%ed%a0%bd",
        "/v1/responses/%c3%28", "/v1/responses/resp_%F0%9F%98%80/input_items?order=asc&order=desc",
        "/herd/v1/conversations/%ff", "/herd/v1/conversations/conv_%ff%ff%ff%ff/placements",
        "/herd/v1/conversations?page_size=x", "/herd/v1/conversations?page_size=99999999999999999999",
        "/herd/v1/conversations?page_size=-1", "/herd/v1/conversations?page_token=%ff",
        "/herd/v1/conversations?page_token=AAAA", "/herd/v1/conversations?page_token=x&page_token=y",
        "/herd/v1/conversations?unknown=1", "/herd/v1/conversations?page_size=1.5", "/herd/v1/conversations?=",
        "/herd/v1/conversations/conv_00000000000000000000000000000000:fork", "/v1/%ff", "/%ff", "/v1/../v1/models",
        "/metrics?%ff", "/health/live?%", "/api/%ff", "/v1/messages/%zz", "/docs/%ff", "/openapi.json?%zz",
    }];

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task Send_StrangePath_IsServedOrRefused(string path)
    {
        foreach (var method in new[] { "GET", "POST", "DELETE", "PUT", "PATCH", "OPTIONS" })
        {
            var status = await Send($"{method} {path} HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{{}}");

            Assert.True(status is >= 200 and < 500, $"{method} {path}: {status}");
            Assert.True(server.TakeFailures() is [], $"{method} {path}");
        }
    }

    /// <summary>Sends bytes, and returns the status of the response. A closed connection is a refusal.</summary>
    private async Task<int> Send(string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, server.HttpPort, Cancellation);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request), Cancellation);
        client.Client.Shutdown(SocketShutdown.Send);
        using var reader = new StreamReader(stream, Encoding.Latin1);
        try
        {
            var line = await reader.ReadLineAsync(Cancellation);
            return line is null ? 400 : int.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 400;
        }
    }
}
