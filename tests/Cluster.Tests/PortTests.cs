using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Herd.Cluster.Tests;

/// <summary>The ports between the processes of a cluster.</summary>
[Collection(nameof(TwoGateways))]
public sealed class PortTests(TwoGateways cluster)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>
    /// Without the cluster's key nobody can listen or call, neither at a node's link nor at Orleans' ports.
    /// </summary>
    [Theory]
    [InlineData("--Cluster:LinkPort")]
    [InlineData("--Cluster:SiloPort")]
    public async Task Port_WithoutTheClustersCertificate_LetsNobodyIn(string port)
    {
        foreach (var certificate in new[] { null, Strangers() })
        {
            using var connection = new TcpClient();
            await connection.ConnectAsync("127.0.0.1", cluster.Port("node-1", port), Cancellation);
            await using var tls = new SslStream(connection.GetStream());
            var refusal = await Record.ExceptionAsync(async () =>
            {
                await tls.AuthenticateAsClientAsync(
                    new SslClientAuthenticationOptions
                    {
                        TargetHost = "herd-cluster",
                        ClientCertificates = certificate is null ? [] : [certificate],
                        RemoteCertificateValidationCallback = (_, shown, _, _) => shown?.Subject == "CN=herd-cluster",
                    },
                    Cancellation);
                await tls.WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray(), Cancellation);
                Assert.Equal(0, await tls.ReadAsync(new byte[1], Cancellation));
            });

            Assert.True(refusal is null or IOException or AuthenticationException, refusal?.ToString());
            certificate?.Dispose();
        }
    }

    private static X509Certificate2 Strangers()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var made = new CertificateRequest("CN=herd-cluster", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.MaxValue);
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }
}
